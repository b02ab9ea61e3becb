package org.spin4j.kernels;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Persistent workers for loops whose iterations are independent. The calling thread takes part; iterations are handed out
 * one by one, so which thread runs which iteration varies, and a loop must not let its result depend on that. One loop at a
 * time: a second caller waits. A loop inside a loop runs on the thread that meets it.
 *
 * <p>The caller waits for iterations, never for workers: a worker that wakes too late finds nothing to do and costs
 * nothing. A loop allocates no memory.
 */
public final class Parallel {
    /** How often a worker looks for work before it goes to sleep: some 50 µs, longer than the gap between two kernels. */
    private static final int SPINS = 2_000;
    /** How often the caller looks whether the last iterations are done before it lets another thread have its core. */
    private static final int WAIT_SPINS = 2_000;
    private static final long INDEX = 0xffff_ffffL;
    private static final long CLOSED = Integer.MAX_VALUE;

    private final Worker[] workers;
    private final ThreadLocal<Boolean> inside = ThreadLocal.withInitial(() -> false);
    /**
     * The number of the loop in the upper half, the next iteration to hand out in the lower. A thread takes an iteration
     * by counting up; that fails if the loop has changed since it looked, so what it read of the loop before is valid.
     */
    private final AtomicLong state = new AtomicLong(CLOSED);
    private final AtomicInteger done = new AtomicInteger();
    private volatile IntConsumer body;
    private volatile int tasks;
    private volatile Throwable failure;

    /**
     * Starts {@code threads - 1} daemon workers.
     *
     * @param threads number of threads in all, at least 1
     */
    public Parallel(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("expected at least 1 thread, found " + threads);
        }
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker();
            workers[i].thread = Thread.ofPlatform().daemon().name("spin4j-kernel-" + (i + 1)).start(workers[i]);
        }
    }

    /** Number of threads, the caller's included. */
    public int threads() {
        return workers.length + 1;
    }

    /** Runs {@code body} for 0 … count-1 and returns when all are done; a failure in any of them is thrown here. */
    public void forEach(int count, IntConsumer body) {
        if (count <= 1 || workers.length == 0 || inside.get()) {
            for (int i = 0; i < count; i++) {
                CompiledAlone.accept(body, i);
            }
            return;
        }
        synchronized (this) {
            this.body = body;
            this.tasks = count;
            failure = null;
            done.set(0);
            long loop = (state.get() & ~INDEX) + INDEX + 1;
            state.set(loop);
            for (int i = 0; i < workers.length && i < count - 1; i++) {
                if (workers[i].asleep) {
                    LockSupport.unpark(workers[i].thread);
                }
            }
            inside.set(true);
            try {
                drain();
            } finally {
                inside.set(false);
            }
            await(count);
            state.set(loop | CLOSED);
            this.body = null;
            if (failure != null) {
                throw new IllegalStateException("a parallel kernel failed: " + failure, failure);
            }
        }
    }

    /** Waits for the iterations that other threads have taken. */
    @SuppressWarnings("ThreadPriorityCheck") // correct without the yield; with it, quicker where cores are scarce
    private void await(int count) {
        for (int spins = 0; done.get() != count; spins++) {
            if (spins < WAIT_SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    /** Takes iterations until none is left. A failed iteration counts as done, so that the caller comes to report it. */
    private void drain() {
        while (true) {
            long s = state.get();
            int i = (int) (s & INDEX);
            IntConsumer b = body;
            if (i >= tasks) {
                return;
            }
            if (state.compareAndSet(s, s + 1)) {
                try {
                    CompiledAlone.accept(b, i);
                } catch (Throwable t) {
                    failure = t;
                } finally {
                    done.incrementAndGet();
                }
            }
        }
    }

    /** One thread of the pool: looks for a new loop for a while, then sleeps until the next one begins. */
    private final class Worker implements Runnable {
        private Thread thread;
        private volatile boolean asleep;

        @Override
        public void run() {
            inside.set(true);
            long seen = state.get() & ~INDEX;
            while (true) {
                int spins = 0;
                while ((state.get() & ~INDEX) == seen) {
                    if (++spins < SPINS) {
                        Thread.onSpinWait();
                    } else {
                        asleep = true;
                        // Looks once more: a loop that began before the flag was seen would not wake this thread.
                        if ((state.get() & ~INDEX) == seen) {
                            LockSupport.park(this);
                        }
                        asleep = false;
                    }
                }
                seen = state.get() & ~INDEX;
                drain();
            }
        }
    }
}
