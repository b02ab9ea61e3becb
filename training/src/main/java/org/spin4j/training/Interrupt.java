package org.spin4j.training;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C (SIGINT) and SIGTERM as a request: long work looks at {@link #requested} between two steps, saves what it has and
 * ends with {@link Stopped}. The JVM waits for that before it exits.
 */
public final class Interrupt implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 60;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook = new Thread(this::await, "spin4j-interrupt");
    private volatile boolean requested;

    /** Work was stopped on request; everything done so far is saved. */
    public static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /** @param message where the work was stopped */
        public Stopped(String message) {
            super(message);
        }
    }

    /** Begins to listen. */
    public Interrupt() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void await() {
        requested = true;
        try {
            if (!finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("gave up waiting for the current step to end; the last checkpoint stands");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether the user asked to stop. */
    public boolean requested() {
        return requested;
    }

    /** Asks to stop, as Ctrl-C does. */
    public void request() {
        requested = true;
    }

    /** Everything is saved: the JVM may go. */
    @Override
    public void close() {
        finished.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is on its way out already: the hook has run and was just released.
            requested = true;
        }
    }
}
