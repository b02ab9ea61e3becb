package org.spin4j.bench;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Work that has to end at a time: one piece after the other, in one thread that is left behind when a piece takes too long. */
final class Deadline {
    private final long end;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private boolean leftBehind;

    Deadline(Duration time) {
        end = System.nanoTime() + time.toNanos();
    }

    /** What is left; nothing once a piece was left behind. */
    Duration left() {
        return leftBehind ? Duration.ZERO : Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    /**
     * Does a piece of work.
     *
     * @throws IllegalStateException where it fails or the time is up; the message is that of the failure
     */
    <T> T call(Callable<T> work) {
        Duration left = left();
        if (left.isZero()) {
            throw new IllegalStateException("no time left");
        }
        try {
            return thread.submit(work).get(left.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            leftBehind = true;
            throw new IllegalStateException("the time was up before it ended", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(String.valueOf(e.getCause().getMessage()), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
