package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A work-item of a kernel that runs in Java: local memory, barriers and the steps of tensor cores, as PTX lays them out (ISA 8.4, sections on
 * {@code ldmatrix} and {@code mma.m16n8k16}). A loaded fragment is the whole tile instead of a lane's part of it: numbers of A by rows of
 * 16, numbers of B by terms of 8.
 */
@SuppressWarnings("serial") // never written
final class EmulatedContext extends KernelContext {
    private static final int TERMS = 16;
    private static final int COLUMNS = 8;

    /** What the items of a group share. */
    private static final class Group {
        private final CyclicBarrier barrier;
        private final List<int[]> arrays = new ArrayList<>();

        Group(int items) {
            barrier = new CyclicBarrier(items);
        }

        synchronized int[] array(int index, int size) {
            if (index == arrays.size()) {
                arrays.add(new int[size]);
            }
            return arrays.get(index);
        }
    }

    private final Group group;
    private final int lane;
    private int arrays;

    private EmulatedContext(Group group, int groupIndex, int item, int items) throws ReflectiveOperationException {
        this.group = group;
        lane = item % 32;
        set("groupIdx", groupIndex);
        set("localIdx", item);
        set("globalIdx", groupIndex * items + item);
    }

    private void set(String index, int value) throws ReflectiveOperationException {
        var field = KernelContext.class.getField(index);
        field.setAccessible(true);
        field.set(this, value);
    }

    /** Runs calls one after the other, each group after group, each item in a thread of its own. */
    static void run(List<DeviceCall> calls, FloatArray mem) {
        for (DeviceCall call : calls) {
            IntArray ints = new IntArray(1 + call.ints().length);
            ints.set(0, 1);
            for (int j = 0; j < call.ints().length; j++) {
                ints.set(1 + j, call.ints()[j]);
            }
            for (int g = 0; g < call.groups(); g++) {
                runGroup(call, g, mem, ints);
            }
        }
    }

    private static void runGroup(DeviceCall call, int g, FloatArray mem, IntArray ints) {
        Group group = new Group(call.local());
        FloatArray reals = FloatArray.fromArray(call.reals().length == 0 ? new float[1] : call.reals());
        try (ExecutorService items = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int item = 0; item < call.local(); item++) {
                EmulatedContext context = new EmulatedContext(group, g, item, call.local());
                running.add(items.submit(() -> call.kernel().apply(context, mem, ints, reals, 0, 0)));
            }
            for (Future<?> item : running) {
                item.get();
            }
        } catch (ReflectiveOperationException | ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void localBarrier() {
        try {
            group.barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public int[] allocateIntLocalArray(int size) {
        return group.array(arrays++, size);
    }

    @Override
    public float[] mmaFragment(float v) {
        return new float[]{v, v, v, v};
    }

    private static HalfFloat half(int[] tile, int bytes) {
        return new HalfFloat((short) (tile[bytes / 4] >>> bytes % 4 * 8));
    }

    /** Rows of 32 bytes. */
    @Override
    public HalfFloat[] mmaLoadA(int[] tile, int terms, int byteOffset) {
        HalfFloat[] all = new HalfFloat[16 * TERMS];
        for (int e = 0; e < all.length; e++) {
            all[e] = half(tile, byteOffset + 2 * e);
        }
        return all;
    }

    /** Terms of 16 bytes; the second eight of them lie 128 bytes further on. */
    @Override
    public HalfFloat[] mmaLoadB(int[] tile, int terms, int byteOffset) {
        HalfFloat[] all = new HalfFloat[TERMS * COLUMNS];
        for (int e = 0; e < all.length; e++) {
            all[e] = half(tile, byteOffset + 2 * e);
        }
        return all;
    }

    private int row(int register) {
        return lane / 4 + register / 2 * 8;
    }

    private int column(int register) {
        return lane % 4 * 2 + register % 2;
    }

    @Override
    public float[] mma(HalfFloat[] a, HalfFloat[] b, float[] c, MMAShape shape) {
        float[] d = c.clone();
        for (int q = 0; q < 4; q++) {
            for (int p = 0; p < TERMS; p++) {
                d[q] += a[row(q) * TERMS + p].getFloat32() * b[p * COLUMNS + column(q)].getFloat32();
            }
        }
        return d;
    }

    @Override
    public float[] mmaBF16(HalfFloat[] a, HalfFloat[] b, float[] c, MMAShape shape) {
        float[] d = c.clone();
        for (int q = 0; q < 4; q++) {
            for (int p = 0; p < TERMS; p++) {
                d[q] += wide(a[row(q) * TERMS + p]) * wide(b[p * COLUMNS + column(q)]);
            }
        }
        return d;
    }

    private static float wide(HalfFloat bits) {
        return Float.intBitsToFloat(bits.getHalfFloatValue() << 16);
    }

    @Override
    public void mmaStore(float[] d, FloatArray c, int tileRow, int tileColumn, int columns) {
        for (int q = 0; q < 4; q++) {
            c.set((tileRow + row(q)) * columns + tileColumn + column(q), d[q]);
        }
    }
}
