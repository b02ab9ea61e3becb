package org.spin4j.training;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Parameter;
import org.spin4j.engine.Parameters;
import org.spin4j.engine.SafeTensors;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * AdamW (arXiv 1711.05101) or RMSProp over all parameters of a model, with the formulas of torch.optim. Its state is as long
 * as the parameters and laid out like them.
 */
final class Optimizer implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Kernels kernels;
    private final TrainConfig config;
    private final Parameters parameters;
    /** AdamW's running mean of gradients; null for RMSProp. */
    private final Storage mean;
    /** Running mean of squared gradients. */
    private final Storage squares;

    Optimizer(Kernels kernels, TrainConfig config, Parameters parameters) {
        this.kernels = kernels;
        this.config = config;
        this.parameters = parameters;
        long n = parameters.data().size();
        mean = config.optim() == TrainConfig.Optim.ADAMW ? Storage.allocate(arena, parameters.data().type(), n) : null;
        squares = Storage.allocate(arena, parameters.data().type(), n);
    }

    /** Total l2 norm of the gradient, and the factor that clips it as torch's clip_grad_norm_ does. */
    record Clip(double norm, double factor) {}

    Clip clip() {
        double norm = Math.sqrt(kernels.sumOfSquares(parameters.grad().size(), parameters.grad()));
        double limit = config.maxGradNorm();
        return new Clip(norm, limit == 0 ? 1 : Math.min(1, limit / (norm + 1e-6)));
    }

    /**
     * One update.
     *
     * @param rate learning rate of this step
     * @param step number of this step, from 1
     */
    void step(double rate, double gradScale, int step) {
        if (config.weightDecay() == 0) {
            update(0, parameters.data().size(), rate, 0, gradScale, step);
            return;
        }
        for (Parameter p : parameters.list()) {
            update(p.offset(), p.size(), rate, p.decays() ? config.weightDecay() : 0, gradScale, step);
        }
    }

    private void update(long from, long n, double rate, double decay, double gradScale, int step) {
        Storage p = parameters.data().slice(from, n);
        Storage g = parameters.grad().slice(from, n);
        Storage v = squares.slice(from, n);
        if (mean != null) {
            kernels.adamW(n, p, g, mean.slice(from, n), v, rate, config.adamBeta1(), config.adamBeta2(),
                    config.adamEpsilon(), decay, gradScale, step);
        } else {
            kernels.rmsProp(n, p, g, v, rate, config.rmspropAlpha(), config.adamEpsilon(), decay, gradScale);
        }
    }

    /** Writes the state. */
    void save(Path file) {
        List<SafeTensors.NamedStorage> tensors = new ArrayList<>();
        if (mean != null) {
            tensors.add(new SafeTensors.NamedStorage("exp_avg", List.of(mean.size()), mean));
        }
        tensors.add(new SafeTensors.NamedStorage("square_avg", List.of(squares.size()), squares));
        SafeTensors.write(file, Map.of(), "F32", tensors);
    }

    /** Reads the state that {@link #save} wrote. */
    void load(Path file) {
        try (SafeTensors tensors = SafeTensors.open(file)) {
            if (mean != null) {
                tensors.read("exp_avg", mean);
            }
            tensors.read("square_avg", squares);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
