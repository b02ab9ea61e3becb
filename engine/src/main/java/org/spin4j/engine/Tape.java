package org.spin4j.engine;

import java.util.ArrayList;
import java.util.List;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * The ops of one forward pass, in order. {@link #backward} replays them from the last to the first. An op registers a
 * backward step that reads the gradient of its output and adds to the gradients of its inputs; after that step nothing reads
 * the output or its gradient again, so the tape gives their memory back at once.
 *
 * <p>A tape for inference records nothing, and {@link #release} lets a pass give an activation back after its last use.
 */
public final class Tape {
    private record Step(Tensor output, boolean inPlace, Runnable backward) {}

    private final Kernels kernels;
    private final Workspace workspace;
    private final boolean recording;
    private final Dropout dropout;
    private final List<Step> steps = new ArrayList<>();

    private Tape(Kernels kernels, Workspace workspace, boolean recording, Dropout dropout) {
        this.kernels = kernels;
        this.workspace = workspace;
        this.recording = recording;
        this.dropout = dropout;
    }

    /** A tape that records, over an emptied workspace. */
    public static Tape recording(Kernels kernels, Workspace workspace) {
        return recording(kernels, workspace, Dropout.NONE);
    }

    /** A tape that records a pass with dropout, over an emptied workspace. */
    public static Tape recording(Kernels kernels, Workspace workspace, Dropout dropout) {
        workspace.reset();
        return new Tape(kernels, workspace, true, dropout);
    }

    /** A tape that only computes, over an emptied workspace. */
    public static Tape inference(Kernels kernels, Workspace workspace) {
        workspace.reset();
        return new Tape(kernels, workspace, false, Dropout.NONE);
    }

    /** The backend that computes. */
    public Kernels kernels() {
        return kernels;
    }

    /** Whether a backward pass will follow. */
    public boolean isRecording() {
        return recording;
    }

    /** What the pass drops; a pass for inference drops nothing. */
    Dropout dropout() {
        return dropout;
    }

    /** A new tensor with undefined values. */
    public Tensor tensor(int rows, int cols) {
        return new Tensor(rows, cols, workspace.take((long) rows * cols));
    }

    /** Memory for numbers that an op keeps for its backward step, freed with the op's output. */
    Storage scratch(long size) {
        return workspace.take(size);
    }

    /** Gives scratch memory back. */
    void free(Storage storage) {
        workspace.release(storage);
    }

    /** Gives scratch memory back where no backward step will read it. */
    void freeUnlessRecording(Storage storage) {
        if (!recording) {
            workspace.release(storage);
        }
    }

    /** Registers the backward step of the op that made {@code output}. */
    void record(Tensor output, Runnable backward) {
        if (recording) {
            steps.add(new Step(output, false, backward));
        }
    }

    /** Registers the backward step of an op that changed a tensor in place: its gradient is changed in place too. */
    void recordInPlace(Tensor changed, Runnable backward) {
        if (recording) {
            steps.add(new Step(changed, true, backward));
        }
    }

    /** Says that the pass has no more use for a tensor; a tape that records keeps it for the backward pass. */
    public void release(Tensor tensor) {
        if (!recording) {
            workspace.release(tensor.data());
        }
    }

    /** The gradient of a tensor to add to, zero where nothing was added yet. */
    Storage accumulator(Tensor tensor) {
        if (tensor.grad() == null) {
            tensor.grad(workspace.take(tensor.size()));
            tensor.grad().zero();
        }
        return tensor.grad();
    }

    /** The gradient of a tensor to be overwritten: for an op that is its only reader. */
    Storage overwritten(Tensor tensor) {
        if (tensor.grad() != null) {
            throw new IllegalStateException("expected a tensor with one reader, found a gradient there already");
        }
        tensor.grad(workspace.take(tensor.size()));
        return tensor.grad();
    }

    /** Adds the gradient of {@code from} to that of {@code to}; where {@code to} has none, it takes the memory over. */
    void passOn(Tensor from, Tensor to) {
        if (to.grad() == null) {
            to.grad(from.grad());
            from.grad(null);
        } else {
            kernels.axpy(from.size(), 1, from.grad(), to.grad());
        }
    }

    /** The gradient of an output, to be set from outside by whoever knows the loss; zero at first. */
    public Storage seed(Tensor tensor) {
        return accumulator(tensor);
    }

    /**
     * Runs the backward pass. Gradients of the last outputs must have been set through {@link #seed}; those of parameters
     * are added to what they hold. A tensor to which no gradient flowed is skipped with everything that led only to it.
     */
    public void backward() {
        if (!recording) {
            throw new IllegalStateException("expected a recording tape, found one for inference");
        }
        for (int i = steps.size() - 1; i >= 0; i--) {
            Step step = steps.get(i);
            Tensor output = step.output();
            if (output.grad() != null) {
                step.backward().run();
            }
            if (!step.inPlace()) {
                if (output.grad() != null) {
                    workspace.release(output.grad());
                    output.grad(null);
                }
                workspace.release(output.data());
            }
        }
        steps.clear();
    }
}
