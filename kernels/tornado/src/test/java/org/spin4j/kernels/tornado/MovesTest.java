package org.spin4j.kernels.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class MovesTest {
    @Test
    void aKernelRunsOnTheDevice() throws Exception {
        FloatArray mem = new FloatArray(1000);
        mem.init(1);
        DeviceCall call = Moves.fill(300, 500, 7).getFirst();
        IntArray ints = IntArray.fromElements(1, call.ints()[0], call.ints()[1]);
        FloatArray reals = FloatArray.fromArray(call.reals());
        WorkerGrid1D grid = new WorkerGrid1D(call.groups() * call.local());
        grid.setLocalWork(call.local(), 1, 1);
        TaskGraph graph = new TaskGraph("smoke").transferToDevice(DataTransferMode.FIRST_EXECUTION, mem, ints, reals)
                .task("t", call.kernel(), new KernelContext(), mem, ints, reals, 0, 0)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, mem);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(new GridScheduler("smoke.t", grid)).execute();
        }
        for (int j = 0; j < 1000; j++) {
            assertThat(mem.get(j)).isEqualTo(j >= 300 && j < 800 ? 7f : 1f);
        }
    }
}
