package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

final class ParallelTest {
    @Test
    void runsEveryIterationOnce() {
        for (int threads = 1; threads <= 4; threads++) {
            Parallel parallel = new Parallel(threads);
            assertThat(parallel.threads()).isEqualTo(threads);
            for (int count = 0; count < 300; count++) {
                AtomicIntegerArray ran = new AtomicIntegerArray(Math.max(count, 1));
                parallel.forEach(count, ran::incrementAndGet);
                for (int i = 0; i < count; i++) {
                    assertThat(ran.get(i)).isEqualTo(1);
                }
            }
        }
    }

    /** Loops right behind one another: a worker that comes late to one must not take part in the next with the old body. */
    @Test
    void loopsDoNotRunIntoEachOther() {
        Parallel parallel = new Parallel(3);
        int[] written = new int[7];
        for (int loop = 1; loop < 20_000; loop++) {
            int value = loop;
            int count = 1 + loop % written.length;
            parallel.forEach(count, i -> written[i] = value);
            for (int i = 0; i < count; i++) {
                assertThat(written[i]).isEqualTo(value);
            }
        }
    }

    @Test
    void aLoopInsideALoopAndTwoCallersAtOnce() throws InterruptedException {
        Parallel parallel = new Parallel(2);
        AtomicLong sum = new AtomicLong();
        Runnable caller = () -> {
            for (int r = 0; r < 200; r++) {
                parallel.forEach(5, i -> parallel.forEach(4, j -> sum.addAndGet(i * 4L + j)));
            }
        };
        Thread other = Thread.ofPlatform().start(caller);
        caller.run();
        other.join();
        assertThat(sum.get()).isEqualTo(400L * 190);
    }

    @Test
    void aFailureIsThrownAndTheNextLoopRuns() {
        Parallel parallel = new Parallel(2);
        for (int failing = 0; failing < 10; failing++) {
            int bad = failing;
            assertThatThrownBy(() -> parallel.forEach(10, i -> {
                if (i == bad) {
                    throw new ArithmeticException("number " + i);
                }
            })).isInstanceOf(IllegalStateException.class).hasMessageContaining("number " + bad);
        }
        AtomicLong sum = new AtomicLong();
        parallel.forEach(10, sum::addAndGet);
        assertThat(sum.get()).isEqualTo(45);
    }

    /** The loop itself: what a kernel's body captures is the kernel's own. */
    @Test
    void aLoopAllocatesNothing() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        Parallel parallel = new Parallel(2);
        AtomicLong sum = new AtomicLong();
        IntConsumer body = sum::addAndGet;
        // The first loops load classes.
        for (int i = 0; i < 100; i++) {
            parallel.forEach(10, body);
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10_000; i++) {
            parallel.forEach(10, body);
        }
        // Less than the smallest object for each loop; a compiler's switch of code may cost one now and then.
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(16 * 10_000 / 2);
    }

    @Test
    void wakesAfterSleep() throws InterruptedException {
        Parallel parallel = new Parallel(2);
        AtomicLong sum = new AtomicLong();
        for (int r = 0; r < 20; r++) {
            Thread.sleep(3);
            parallel.forEach(10, sum::addAndGet);
        }
        assertThat(sum.get()).isEqualTo(20 * 45);
    }
}
