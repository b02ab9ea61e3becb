package org.spin4j.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;

/** The matrix products of OpenBLAS, a peer, called through the foreign-function API. */
public final class OpenBlas {
    /** System property with the library's path; the environment variable {@link #VARIABLE} says the same. */
    static final String PROPERTY = "spin4j.openblas";
    static final String VARIABLE = "SPIN4J_OPENBLAS";
    /** What to do where there is none. */
    static final String REMEDY = "expected OpenBLAS, found no libopenblas.so.0; install it (Debian: apt-get install libopenblas0)"
            + " or name the file in " + VARIABLE + "; its rows are left out";

    private static final List<String> USUAL_PLACES = List.of(
            "/usr/lib/" + System.getProperty("os.arch").replace("amd64", "x86_64")
                    + "-linux-gnu/openblas-pthread/libopenblas.so.0",
            "/usr/lib/" + System.getProperty("os.arch").replace("amd64", "x86_64") + "-linux-gnu/libopenblas.so.0",
            "libopenblas.so.0");
    private static final int ROW_MAJOR = 101;
    private static final int PLAIN = 111;
    private static final int TRANSPOSED = 112;

    private final MethodHandle setNumThreads;
    private final MethodHandle sgemm;
    private final MethodHandle sgemv;
    private final String config;
    private final String core;

    private OpenBlas(SymbolLookup library) {
        setNumThreads = handle(library, "openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));
        sgemm = handle(library, "cblas_sgemm",
                FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT,
                        JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT));
        sgemv = handle(library, "cblas_sgemv",
                FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_FLOAT,
                        ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT));
        config = text(handle(library, "openblas_get_config", FunctionDescriptor.of(ADDRESS)));
        core = text(handle(library, "openblas_get_corename", FunctionDescriptor.of(ADDRESS)));
    }

    /**
     * The OpenBLAS of this machine: the one that the property {@value #PROPERTY} or the environment variable
     * {@value #VARIABLE} names, or else one in the places where Debian puts it; empty where there is none.
     *
     * @throws IllegalArgumentException where a file is named that is no OpenBLAS
     */
    public static Optional<OpenBlas> find() {
        String named = System.getProperty(PROPERTY, Objects.requireNonNullElse(System.getenv(VARIABLE), ""));
        if (named.isEmpty()) {
            return USUAL_PLACES.stream().flatMap(place -> open(place).stream()).findFirst().map(OpenBlas::new);
        }
        return Optional.of(open(named).map(OpenBlas::new).orElseThrow(() -> new IllegalArgumentException(
                "expected OpenBLAS in " + named + ", found no library that loads; correct or unset " + VARIABLE)));
    }

    private static Optional<SymbolLookup> open(String place) {
        try {
            return Optional.of(SymbolLookup.libraryLookup(place, Arena.global()));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // there is no such library: the next place is tried, and the caller says so at the end
        }
    }

    private static MethodHandle handle(SymbolLookup library, String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(library.find(name).orElseThrow(() -> new IllegalArgumentException(
                "expected the function " + name
                        + " in OpenBLAS, found none; install OpenBLAS 0.3 with its C interface")),
                descriptor);
    }

    private static String text(MethodHandle function) {
        try {
            MemorySegment text = (MemorySegment) function.invokeExact();
            return text.reinterpret(1 << 10).getString(0);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Version, the core whose code it has chosen, and how long its threads look for work if that was set. */
    public String describe() {
        String version = Stream.of(config.split(" ")).filter(word -> word.matches("[0-9]+\\..*")).findFirst()
                .orElse("of unknown version");
        String patience = System.getenv("OPENBLAS_THREAD_TIMEOUT");
        return "OpenBLAS " + version + ", core type " + core
                + (patience == null ? "" : ", idle threads sleep after 2^" + patience + " cycles");
    }

    /** Threads of all products from now on. */
    public void setThreads(int threads) {
        try {
            setNumThreads.invokeExact(threads);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * C = op(A) · op(B), operands as in {@link org.spin4j.kernels.Kernels#matmul}.
     *
     * @throws IllegalArgumentException where an operand is shorter than its shape
     */
    public void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage c) {
        require(a, (long) m * k, b, (long) n * k, c, (long) m * n);
        int ofA = product == Product.TN ? TRANSPOSED : PLAIN;
        int ofB = product == Product.NT ? TRANSPOSED : PLAIN;
        try {
            sgemm.invokeExact(ROW_MAJOR, ofA, ofB, m, n, k, 1f, a.segment(), product == Product.TN ? m : k, b.segment(),
                    product == Product.NT ? k : n, 0f, c.segment(), n);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * y = W · x.
     *
     * @param w [n,k]
     * @param x [k]
     * @param y [n], overwritten
     * @throws IllegalArgumentException where an operand is shorter than its shape
     */
    public void multiplyVector(int n, int k, Storage w, Storage x, Storage y) {
        require(w, (long) n * k, x, k, y, n);
        try {
            sgemv.invokeExact(ROW_MAJOR, PLAIN, n, k, 1f, w.segment(), k, x.segment(), 1, 0f, y.segment(), 1);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private static void require(Storage a, long aSize, Storage b, long bSize, Storage c, long cSize) {
        if (a.size() < aSize || b.size() < bSize || c.size() < cSize) {
            throw new IllegalArgumentException("expected operands of at least " + Arrays.asList(aSize, bSize, cSize)
                    + " numbers, found " + Arrays.asList(a.size(), b.size(), c.size()));
        }
    }

    private static IllegalStateException failed(Throwable e) {
        return new IllegalStateException("a call of OpenBLAS failed: " + e, e);
    }
}
