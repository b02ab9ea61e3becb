package org.spin4j.kernels;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Persistent workers for loops whose iterations are independent. The calling thread takes part; iterations are handed out
 * one by one, so which thread runs which iteration varies, and a loop must not let its result depend on that. One loop at a
 * time: a second caller waits. A loop inside a loop runs on the thread that meets it.
 */
public final class Parallel {
    /** How often a worker looks for work before it goes to sleep: about 20 µs, longer than the gap between two kernels. */
    private static final int SPINS = 4_000;

    private final Thread[] workers;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicLong generation = new AtomicLong();
    private final ThreadLocal<Boolean> inside = ThreadLocal.withInitial(() -> false);
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
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = Thread.ofPlatform().daemon().name("spin4j-kernel-" + (i + 1)).start(this::work);
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
                body.accept(i);
            }
            return;
        }
        synchronized (this) {
            this.body = body;
            this.tasks = count;
            failure = null;
            next.set(0);
            running.set(workers.length);
            generation.incrementAndGet();
            for (Thread w : workers) {
                LockSupport.unpark(w);
            }
            drain();
            while (running.get() != 0) {
                Thread.onSpinWait();
            }
            this.body = null;
            if (failure != null) {
                throw new IllegalStateException("a parallel kernel failed: " + failure, failure);
            }
        }
    }

    private void work() {
        long seen = 0;
        while (true) {
            int spins = 0;
            while (generation.get() == seen) {
                if (++spins < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
            seen = generation.get();
            drain();
            running.decrementAndGet();
        }
    }

    private void drain() {
        inside.set(true);
        try {
            IntConsumer b = body;
            int n = tasks;
            for (int i = next.getAndIncrement(); i < n; i = next.getAndIncrement()) {
                b.accept(i);
            }
        } catch (Throwable t) {
            failure = t;
            next.set(tasks);
        } finally {
            inside.set(false);
        }
    }
}
