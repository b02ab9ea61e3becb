package org.spin4j.kernels;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.IntConsumer;
import org.spin4j.kernels.AttentionBlock.KeyRun;

/**
 * Calls that C2 cannot inline, so that what is called is compiled by itself. Inlined into its callers, a short loop of vectors
 * lies so deep in them that C2's limit ({@code MaxInlineLevel}, 15) cuts off the last methods of a vector operation inside the
 * loop, which then takes up to ten times as long; and whether that happens differs from run to run.
 */
final class CompiledAlone {
    // Not final: the target of a constant handle is known, and so inlined.
    private static MethodHandle iteration = handle(IntConsumer.class, int.class);
    private static MethodHandle keyRun = handle(KeyRun.class, int.class, int.class);

    private CompiledAlone() {}

    private static MethodHandle handle(Class<?> function, Class<?>... arguments) {
        try {
            return MethodHandles.lookup().findVirtual(function, "accept",
                    MethodType.methodType(void.class, arguments));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** {@code body.accept(i)}. */
    static void accept(IntConsumer body, int i) {
        try {
            iteration.invokeExact(body, i);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code run.accept(first, keys)}. */
    static void accept(KeyRun run, int first, int keys) {
        try {
            keyRun.invokeExact(run, first, keys);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Neither function declares a checked exception, but a handle's call does. */
    private static RuntimeException unchecked(Throwable e) {
        return switch (e) {
            case RuntimeException r -> r;
            case Error error -> throw error;
            default -> new IllegalStateException(e);
        };
    }
}
