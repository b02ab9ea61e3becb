package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;

/**
 * All parameters of a model in one flat run of memory, and their gradients in another: an optimiser, a norm or a copy is one
 * pass over it. A frozen model's matrices may be stored in types of fewer bits; then each parameter has memory of its own.
 */
public final class Parameters {
    /** In the name of a tensor of a layer. */
    private static final Pattern LAYER = Pattern.compile("(^|\\.)(layers|h)\\.\\d+\\.");
    /** Masks and rotary speeds that old files carry though a model computes them. */
    private static final Pattern BUFFER = Pattern
            .compile("\\.(rotary_emb\\.inv_freq|attn\\.(attention\\.)?(masked_)?bias)$");

    private final Arena arena;
    private final List<Parameter> list;
    private final Map<String, Parameter> owners = new LinkedHashMap<>();
    private final DType type;
    /** Null where parameters are stored in several types. */
    private final Storage data;
    private Storage grad;

    private Parameters(Arena arena, DType type, List<Parameter> list, Storage data) {
        this.arena = arena;
        this.type = type;
        this.list = List.copyOf(list);
        this.data = data;
        for (Parameter p : list) {
            p.parts().forEach(part -> owners.put(part.name(), p));
        }
    }

    /** Lists the parameters of a model, then allocates them. */
    static final class Builder {
        private final List<Parameter> list = new ArrayList<>();
        private long size;

        /** A matrix {@code [rows, cols]} made of one or more matrices below each other, all with {@code cols} columns. */
        Parameter matrix(int cols, Object... nameAndRows) {
            List<Parameter.Part> parts = new ArrayList<>();
            long rows = 0;
            for (int i = 0; i < nameAndRows.length; i += 2) {
                int count = (Integer) nameAndRows[i + 1];
                parts.add(new Parameter.Part((String) nameAndRows[i], List.of((long) count, (long) cols),
                        rows * cols));
                rows += count;
            }
            if (rows > Integer.MAX_VALUE) {
                throw new CheckpointException("expected fewer than 2^31 rows in one matrix, found " + rows
                        + " in that of " + nameAndRows[0] + "; is the configuration this model's?");
            }
            return add(parts, (int) rows, cols, true, Product.NT);
        }

        /** A matrix {@code [rows, cols]} that checkpoints store as [cols, rows]: GPT-2's Conv1D. */
        Parameter conv1d(int cols, String name, int rows) {
            return add(List.of(new Parameter.Part(name, List.of((long) cols, (long) rows), 0)), rows, cols, true,
                    Product.NN);
        }

        /** A vector made of one or more vectors behind each other. */
        Parameter vector(Object... nameAndSize) {
            List<Parameter.Part> parts = new ArrayList<>();
            int size = 0;
            for (int i = 0; i < nameAndSize.length; i += 2) {
                int count = (Integer) nameAndSize[i + 1];
                parts.add(new Parameter.Part((String) nameAndSize[i], List.of((long) count), size));
                size += count;
            }
            return add(parts, 1, size, false, Product.NT);
        }

        private Parameter add(List<Parameter.Part> parts, int rows, int cols, boolean decays, Product product) {
            Parameter p = new Parameter(parts, rows, cols, decays, product, size);
            // Each parameter begins on a cache line.
            size += (p.size() + 15) / 16 * 16;
            list.add(p);
            return p;
        }

        /** Parameters in one run of memory, all zeros. */
        Parameters build(Arena arena, DType type) {
            Storage data = Storage.allocate(arena, type, size);
            for (Parameter p : list) {
                p.bind(data.slice(p.offset(), p.size()), null);
            }
            return new Parameters(arena, type, list, data);
        }

        /**
         * Parameters in one run of memory, filled from a checkpoint.
         *
         * @throws CheckpointException when that does not hold these parameters, before any memory is taken for them
         */
        Parameters load(Arena arena, DType type, Checkpoint checkpoint) {
            requireThese(list, checkpoint);
            Parameters loaded = build(arena, type);
            loaded.read(checkpoint);
            return loaded;
        }

        /**
         * Parameters that are never trained: vectors in F32, matrices as {@link Decoder#loadFrozen(java.nio.file.Path, DType)} says.
         * What the checkpoint has in that very type stays where it lies.
         *
         * @param matrices the type of matrices; null: each part's own
         * @throws CheckpointException as {@link #load}
         */
        Parameters loadFrozen(Arena arena, Checkpoint checkpoint, DType matrices) {
            requireThese(list, checkpoint);
            for (Parameter p : list) {
                List<DType> types = p.parts().stream()
                        .map(part -> frozenType(p, checkpoint.type(part.name()), matrices))
                        .toList();
                List<Storage> places = new ArrayList<>();
                for (int i = 0; i < types.size(); i++) {
                    String name = p.parts().get(i).name();
                    places.add(p.decays() && types.get(i) == checkpoint.type(name) ? checkpoint.inPlace(name) : null);
                }
                if (places.stream().allMatch(Objects::isNull) && types.stream().distinct().count() == 1) {
                    p.bind(Storage.allocate(arena, types.getFirst(), p.size()), null);
                    p.parts().forEach(part -> Parameters.read(checkpoint, part, p.data(part)));
                    continue;
                }
                for (int i = 0; i < types.size(); i++) {
                    if (places.get(i) == null) {
                        Parameter.Part part = p.parts().get(i);
                        places.set(i, Storage.allocate(arena, types.get(i), part.size()));
                        Parameters.read(checkpoint, part, places.get(i));
                    }
                }
                p.bindParts(places);
            }
            return new Parameters(arena, DType.F32, list, null);
        }

        private static DType frozenType(Parameter p, DType own, DType matrices) {
            // Products read narrow types only row by row.
            if (!p.decays() || p.product() == Product.NN) {
                return DType.F32;
            }
            DType wanted = matrices == null ? own : matrices;
            return p.cols() % wanted.block() == 0 ? wanted : DType.F16;
        }
    }

    /** Refuses a checkpoint that lacks one of the parameters, or whose layers hold what this engine would leave out. */
    private static void requireThese(List<Parameter> list, Checkpoint checkpoint) {
        Set<String> names = new HashSet<>();
        for (Parameter p : list) {
            for (Parameter.Part part : p.parts()) {
                require(part, checkpoint);
                names.add(part.name());
            }
        }
        for (String name : checkpoint.names()) {
            if (!names.contains(name) && LAYER.matcher(name).find() && !BUFFER.matcher(name).find()) {
                throw new CheckpointException("expected no tensor " + CheckpointJson.quote(name)
                        + " in a model of this configuration, found it in " + checkpoint.path()
                        + "; the weights do not belong to this configuration");
            }
        }
    }

    private static void require(Parameter.Part part, Checkpoint checkpoint) {
        if (!checkpoint.has(part.name())) {
            throw new CheckpointException("expected a tensor '" + part.name() + "', found none in " + checkpoint.path()
                    + "; the weights do not belong to this configuration");
        }
        if (!checkpoint.shape(part.name()).equals(part.shape())) {
            throw new CheckpointException("expected shape " + part.shape() + " for '" + part.name() + "', found "
                    + checkpoint.shape(part.name()) + " in " + checkpoint.path()
                    + "; the weights do not belong to this configuration");
        }
    }

    private static void read(Checkpoint checkpoint, Parameter.Part part, Storage to) {
        try {
            checkpoint.read(part.name(), to);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(
                    e.getMessage() + " (tensor '" + part.name() + "' in " + checkpoint.path() + ")", e);
        }
    }

    /**
     * Replaces all values by those of a checkpoint of the same model.
     *
     * @throws CheckpointException when it is none, before any value has changed
     * @throws IllegalStateException where the model was loaded frozen
     */
    void read(Checkpoint checkpoint) {
        Objects.requireNonNull(data());
        requireThese(list, checkpoint);
        list.forEach(p -> p.parts().forEach(part -> read(checkpoint, part, p.data(part))));
    }

    /** The parameters in the order of the forward pass. */
    public List<Parameter> list() {
        return list;
    }

    /** The type that the model computes in. */
    public DType type() {
        return type;
    }

    /**
     * All values, with a few zeros between parameters.
     *
     * @throws IllegalStateException where the model was loaded frozen, with weights of several types
     */
    public Storage data() {
        if (data == null) {
            throw new IllegalStateException("expected weights in one type, found a frozen model; load it for training");
        }
        return data;
    }

    /** All gradients, laid out like {@link #data}; null until {@link #requireGradients}. */
    public Storage grad() {
        return grad;
    }

    /** Number of trained values. */
    public long count() {
        return list.stream().mapToLong(Parameter::size).sum();
    }

    /** Names of all pieces, as checkpoints have them. */
    public Iterable<String> names() {
        return owners.keySet();
    }

    /** Shape of the piece {@code name}. */
    public List<Long> shape(String name) {
        return part(name).shape();
    }

    /** Values of the piece {@code name}. */
    public Storage data(String name) {
        return owners.get(name).data(part(name));
    }

    /** Gradient of the piece {@code name}. */
    public Storage grad(String name) {
        Parameter.Part part = part(name);
        return owners.get(name).grad().slice(part.from(), part.size());
    }

    private Parameter.Part part(String name) {
        Parameter owner = owners.get(name);
        if (owner == null) {
            throw new IllegalArgumentException("expected the name of a parameter, found '" + name + "'");
        }
        return owner.parts().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    }

    /** Allocates gradients, once: the model is to be trained. */
    public void requireGradients() {
        if (grad == null) {
            grad = Storage.allocate(arena, type, data().size());
            for (Parameter p : list) {
                p.bind(p.data(), grad.slice(p.offset(), p.size()));
            }
        }
    }
}
