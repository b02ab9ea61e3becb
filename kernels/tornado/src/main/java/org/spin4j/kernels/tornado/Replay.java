package org.spin4j.kernels.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A sequence of kernels, compiled once. Each run may have other shapes, places and numbers: they travel in two arrays, the only ones that
 * go to the device.
 *
 * <p>{@code ints}: for each call, the cell where its integers begin and the one in {@code reals} where its real arguments do; then the
 * integers. {@code reals}: {@value DeviceCall#MAX_REALS} for each call; then those of calls that have more.
 */
final class Replay {
    private static final int CELLS = 2;

    /**
     * What calls a replay is good for.
     *
     * @param names of the kernels, in order
     * @param ints  room for integers
     * @param reals room for real arguments
     */
    record Key(List<String> names, int ints, int reals) {
        private static final int LEAST_INTS = 1 << 13;
        private static final int LEAST_REALS = 1 << 10;

        static Key of(List<DeviceCall> calls) {
            long ints = 0;
            long reals = 0;
            for (DeviceCall call : calls) {
                ints += CELLS + call.ints().length;
                reals += DeviceCall.MAX_REALS + bulk(call);
            }
            return new Key(calls.stream().map(DeviceCall::name).toList(), room(LEAST_INTS, ints),
                    room(LEAST_REALS, reals));
        }

        /** In steps of 8, so that few sizes need a replay of their own. */
        private static int room(int least, long want) {
            int room = least;
            while (room < want) {
                room = Math.multiplyExact(room, 8);
            }
            return room;
        }
    }

    private final IntArray ints;
    private final FloatArray reals;
    private final WorkerGrid1D[] grids;
    private final DeviceArena.Program program;

    Replay(DeviceArena arena, String name, Key key, List<DeviceCall> calls) {
        ints = new IntArray(key.ints());
        reals = new FloatArray(key.reals());
        grids = new WorkerGrid1D[calls.size()];
        GridScheduler scheduler = new GridScheduler();
        KernelContext context = new KernelContext();
        TaskGraph graph = arena.begin(name).transferToDevice(DataTransferMode.EVERY_EXECUTION, ints, reals);
        for (int t = 0; t < grids.length; t++) {
            DeviceCall call = calls.get(t);
            grids[t] = new WorkerGrid1D(call.local());
            grids[t].setLocalWork(call.local(), 1, 1);
            String task = "t" + t;
            scheduler.addWorkerGrid(name + "." + task, grids[t]);
            graph.task(task, call.kernel(), context, arena.mem(), ints, reals, CELLS * t, DeviceCall.MAX_REALS * t);
        }
        program = arena.end(graph, scheduler);
    }

    private static int bulk(DeviceCall call) {
        return call.reals().length > DeviceCall.MAX_REALS ? call.reals().length : 0;
    }

    void run(List<DeviceCall> calls) {
        int nextInt = CELLS * calls.size();
        int nextReal = DeviceCall.MAX_REALS * calls.size();
        for (int t = 0; t < grids.length; t++) {
            DeviceCall call = calls.get(t);
            ints.set(CELLS * t, nextInt);
            for (int x : call.ints()) {
                ints.set(nextInt++, x);
            }
            int at = bulk(call) > 0 ? nextReal : DeviceCall.MAX_REALS * t;
            nextReal += bulk(call);
            ints.set(CELLS * t + 1, at);
            for (float x : call.reals()) {
                reals.set(at++, x);
            }
            grids[t].setGlobalWork((long) call.groups() * call.local(), 1, 1);
        }
        program.run();
    }
}
