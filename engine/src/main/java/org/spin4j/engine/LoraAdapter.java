package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.spin4j.engine.SafeTensors.Entry;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;

/**
 * A low-rank adapter (LoRA, arXiv 2106.09685) in the layout of PEFT: a folder with {@code adapter_config.json} and
 * {@code adapter_model.safetensors}. Merged into a model it is W + scale · B·A, and {@link Decoder#save} writes the result.
 */
public final class LoraAdapter {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final Pattern NAME = Pattern.compile("base_model\\.model\\.(.+)\\.lora_([AB])\\.weight");

    private LoraAdapter() {}

    /**
     * Adds an adapter to a model's weights. Everything is checked first: where a message says what is wrong, no weight has
     * changed.
     *
     * @param model whose weights are in one type, as {@link Decoder#load} gives them
     * @throws CheckpointException when the adapter is broken, not supported, or not of this model
     */
    public static void merge(Path adapter, Decoder model, Kernels kernels) {
        // Refuses a frozen model.
        DType type = model.parameters().data().type();
        LoraConfig config = LoraConfig.read(adapter.resolve(CONFIG));
        Path file = adapter.resolve(WEIGHTS);
        try (SafeTensors tensors = SafeTensors.open(file); Arena arena = Arena.ofShared()) {
            Map<String, Parameter> modules = modules(tensors, file, model);
            checkTargets(config, modules.keySet(), file);
            List<Update> updates = new ArrayList<>();
            modules.forEach((module, p) -> {
                Storage w = model.parameters().data(module + ".weight");
                long rows = w.size() / p.cols();
                updates.add(new Update(p, w, read(tensors, file, module, "A", config.rank(), p.cols(), arena, type),
                        read(tensors, file, module, "B", rows, config.rank(), arena, type)));
            });
            updates.forEach(u -> u.add(config, kernels, arena));
        }
    }

    /**
     * What is added to one matrix.
     *
     * @param parameter which the matrix is, or a part of
     * @param w         the matrix
     * @param a         [rank, in]
     * @param b         [out, rank]
     */
    private record Update(Parameter parameter, Storage w, Storage a, Storage b) {
        void add(LoraConfig config, Kernels kernels, Arena arena) {
            int in = parameter.cols();
            int rank = config.rank();
            int out = (int) (w.size() / in);
            if (parameter.product() == Product.NT) {
                for (long i = 0; i < b.size(); i++) {
                    b.set(i, config.scale() * b.get(i));
                }
                kernels.matmul(Product.NN, out, in, rank, b, a, null, w, w);
                return;
            }
            // The weight is stored [in, out]: (B·A)ᵀ = Aᵀ·Bᵀ.
            Storage transposed = Storage.allocate(arena, b.type(), b.size());
            for (int i = 0; i < out; i++) {
                for (int r = 0; r < rank; r++) {
                    transposed.set((long) r * out + i, config.scale() * b.get((long) i * rank + r));
                }
            }
            kernels.matmul(Product.TN, in, out, rank, a, transposed, null, w, w);
        }
    }

    /** The modules that the file has tensors for, each with the parameter that it changes. */
    private static Map<String, Parameter> modules(SafeTensors tensors, Path file, Decoder model) {
        Map<String, Parameter> parameters = new TreeMap<>();
        model.parameters().list().forEach(p -> p.parts().forEach(part -> parameters.put(part.name(), p)));
        Map<String, Parameter> modules = new TreeMap<>();
        for (String name : tensors.entries().keySet()) {
            Matcher matcher = NAME.matcher(name);
            Parameter parameter = matcher.matches() ? parameters.get(matcher.group(1) + ".weight") : null;
            if (parameter == null || !parameter.decays()) {
                throw new CheckpointException("expected tensors lora_A and lora_B of this model's matrices, found "
                        + CheckpointJson.quote(name) + " in " + file + "; was the adapter trained on this model?");
            }
            modules.put(matcher.group(1), parameter);
        }
        return modules;
    }

    private static void checkTargets(LoraConfig config, Set<String> modules, Path file) {
        if (modules.isEmpty()) {
            throw new CheckpointException("expected tensors lora_A and lora_B, found none in " + file);
        }
        Set<String> unused = new HashSet<>(config.targets());
        for (String module : modules) {
            List<String> matching = config.targets().stream().filter(t -> LoraConfig.names(t, module)).toList();
            if (matching.isEmpty() && !config.targets().isEmpty()) {
                throw new CheckpointException("expected tensors of target_modules alone, found one of "
                        + CheckpointJson.quote(module) + " in " + file + "; is " + CONFIG + " of the same adapter?");
            }
            unused.removeAll(matching);
        }
        if (!unused.isEmpty()) {
            throw new CheckpointException("expected tensors of every target module, found none of "
                    + CheckpointJson.quote(unused.iterator().next()) + " in " + file + "; fetch the adapter again");
        }
    }

    private static Storage read(SafeTensors tensors, Path file, String module, String which, long rows, long cols,
            Arena arena, DType type) {
        String name = "base_model.model." + module + ".lora_" + which + ".weight";
        List<Long> shape = List.of(rows, cols);
        Entry entry = tensors.entries().get(name);
        if (entry == null || !entry.shape().equals(shape)) {
            throw new CheckpointException("expected shape " + shape + " for " + CheckpointJson.quote(name) + ", found "
                    + (entry == null ? "none" : entry.shape()) + " in " + file
                    + "; was the adapter trained on this model?");
        }
        Storage s = Storage.allocate(arena, type, entry.elements());
        tensors.read(name, s);
        return s;
    }
}
