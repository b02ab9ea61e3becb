package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * All parameters of a model in one flat run of memory, and their gradients in another: an optimiser, a norm or a copy is one
 * pass over it. A frozen model's matrices may be stored in types of fewer bits; then each parameter has memory of its own.
 */
public final class Parameters {
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
            int rows = 0;
            for (int i = 0; i < nameAndRows.length; i += 2) {
                int count = (Integer) nameAndRows[i + 1];
                parts.add(new Parameter.Part((String) nameAndRows[i], List.of((long) count, (long) cols),
                        (long) rows * cols));
                rows += count;
            }
            return add(parts, rows, cols, true);
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
            return add(parts, 1, size, false);
        }

        private Parameter add(List<Parameter.Part> parts, int rows, int cols, boolean decays) {
            Parameter p = new Parameter(parts, rows, cols, decays, size);
            // Each parameter begins on a cache line.
            size += (p.size() + 15) / 16 * 16;
            list.add(p);
            return p;
        }

        Parameters build(Arena arena, DType type) {
            Storage data = Storage.allocate(arena, type, size);
            for (Parameter p : list) {
                p.bind(data.slice(p.offset(), p.size()), null);
            }
            return new Parameters(arena, type, list, data);
        }

        /** Parameters that are never trained: each is stored in the type that {@code typeOf} gives, others compute in F32. */
        Parameters buildFrozen(Arena arena, Function<Parameter, DType> typeOf) {
            for (Parameter p : list) {
                p.bind(Storage.allocate(arena, typeOf.apply(p), p.size()), null);
            }
            return new Parameters(arena, DType.F32, list, null);
        }
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
        Parameter.Part part = part(name);
        return owners.get(name).data().slice(part.from(), part.size());
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
