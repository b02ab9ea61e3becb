package org.spin4j.kernels.tornado;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The memory of a device: one array, allocated once, that every kernel works on. TornadoVM gives each graph copies of its own of the
 * arrays it uses, except those that it consumes from a graph of the same plan; and a graph may be in many plans. So the array belongs
 * to a graph of its own, which is in every plan.
 *
 * <p>The host's side of the array is address space that nothing is written to, but for what is read back, at the place where the device has
 * it: so it takes no memory.
 */
final class DeviceArena {
    private static final String GRAPH = "arena";
    private static final String TASK = "touch";
    /** Work-items that touch the array: few, so that its first grain is enough. */
    private static final int TOUCHED = 64;
    /** TornadoVM keeps a record of each execution as long as the plan; a new plan over the same graphs costs nothing. */
    private static final int EXECUTIONS_OF_A_PLAN = 4096;

    private final TornadoDevice device;
    private final boolean profiled;
    private final FloatArray mem;
    private final ImmutableTaskGraph graph;
    private final TornadoExecutionResult touched;
    private long bytesIn;

    /** A graph that works on the arena, compiled when it first runs. */
    final class Program {
        private final ImmutableTaskGraph graph;
        private final GridScheduler grids;
        private TornadoExecutionPlan plan;
        private int executions;

        private Program(TaskGraph graph, GridScheduler grids) {
            this.graph = graph.persistOnDevice(mem).snapshot();
            this.grids = grids;
            grids.addWorkerGrid(GRAPH + "." + TASK, touchGrid());
        }

        /** Runs the graph to its end. */
        void run() {
            if (plan == null || ++executions == EXECUTIONS_OF_A_PLAN) {
                plan = plan(grids, DeviceArena.this.graph, graph);
                plan.withGraph(0).execute();
                plan.withGraph(1);
                executions = 0;
            }
            // Each plan has a queue of its own: only a read that waits keeps the next plan from overtaking it.
            TornadoExecutionResult result = plan.execute();
            bytesIn += result.getProfilerResult().getTotalBytesCopyIn();
            result.transferToHost(new DataRange(mem).withSize(1));
        }
    }

    /**
     * Allocates the memory.
     *
     * @param size     numbers of F32
     * @param profiled whether TornadoVM is to count what it transfers
     */
    DeviceArena(TornadoDevice device, int size, boolean profiled) {
        this.device = device;
        this.profiled = profiled;
        mem = FloatArray
                .fromSegmentShallow(reserve(FloatArray.fromElements().getSegmentWithHeader().byteSize() + 4L * size));
        graph = new TaskGraph(GRAPH).task(TASK, DeviceArena::touch, new KernelContext(), mem)
                .transferToHost(DataTransferMode.UNDER_DEMAND, mem).snapshot();
        touched = plan(new GridScheduler(GRAPH + "." + TASK, touchGrid()), graph).execute();
    }

    /** Writes, and reads nothing: TornadoVM then has no reason to bring the host's numbers to the device. */
    static void touch(KernelContext context, FloatArray mem) {
        mem.set(context.globalIdx, 0);
    }

    private static WorkerGrid1D touchGrid() {
        WorkerGrid1D grid = new WorkerGrid1D(TOUCHED);
        grid.setLocalWork(TOUCHED, 1, 1);
        return grid;
    }

    /** Address space; the system gives it memory page by page when it is first touched. */
    private static MemorySegment reserve(long bytes) {
        Linker linker = Linker.nativeLinker();
        MethodHandle malloc = linker.downcallHandle(linker.defaultLookup().findOrThrow("malloc"),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        try {
            MemorySegment start = (MemorySegment) malloc.invokeExact(bytes);
            if (start.address() == 0) {
                throw new UnsupportedOperationException(
                        "expected " + (bytes >> 20) + " MiB of address space for the device's"
                                + " memory, found less; lower " + TornadoDevices.MEMORY);
            }
            return start.reinterpret(bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("malloc", e);
        }
    }

    private TornadoExecutionPlan plan(GridScheduler grids, ImmutableTaskGraph... graphs) {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(graphs);
        plan.withDevice(device);
        plan.withGridScheduler(grids);
        if (profiled) {
            plan.withProfiler(ProfilerMode.SILENT);
        }
        return plan;
    }

    /** Bytes that TornadoVM's profiler saw going to the device; 0 where it is off. */
    long bytesIn() {
        return bytesIn;
    }

    /** All numbers of the device: the array that kernels take. */
    FloatArray mem() {
        return mem;
    }

    /** Begins a graph that finds the arena where it is. */
    TaskGraph begin(String name) {
        return new TaskGraph(name).consumeFromDevice(GRAPH, mem);
    }

    /** Ends a graph. */
    Program end(TaskGraph graph, GridScheduler grids) {
        return new Program(graph, grids);
    }

    /** Reads {@code count} numbers, as they are after all programs that have run. */
    MemorySegment read(int from, int count) {
        touched.transferToHost(new DataRange(mem).withOffset(from).withSize(count));
        return mem.getSegment().asSlice(4L * from, 4L * count);
    }
}
