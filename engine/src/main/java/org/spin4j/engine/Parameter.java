package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.util.List;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;

/**
 * A trained matrix {@code [rows, cols]} (a vector has one row). Weights that one product multiplies are one parameter: the
 * query, key and value projections lie below each other, and so do gate and up. {@link #parts} names the pieces as
 * checkpoints do. GPT-2's matrices are stored the other way round, [cols, rows]. The parts of a frozen matrix may lie apart, where a file has them, and be of different types.
 */
public final class Parameter {
    /**
     * A named piece of consecutive rows.
     *
     * @param name  the checkpoint's name
     * @param shape the checkpoint's shape
     * @param from  first element within the parameter
     */
    public record Part(String name, List<Long> shape, long from) {
        /** Number of elements. */
        public long size() {
            return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
        }
    }

    /**
     * Rows that one product multiplies.
     *
     * @param rows   how many
     * @param data   the values; not read where they are packed
     * @param packed the same laid out for multiplication, or null
     */
    record Block(int rows, Storage data, Kernels.PackedMatrix packed) {}

    private final List<Part> parts;
    private final int rows;
    private final int cols;
    private final boolean decays;
    private final Product product;
    private final long offset;
    /** All parts behind each other, or a piece for each of them. */
    private List<Storage> pieces;
    private List<Block> blocks;
    private Storage grad;
    /** Who packs this at its next use but one; null where nobody shall, or has. */
    private Kernels packer;
    private boolean used;

    Parameter(List<Part> parts, int rows, int cols, boolean decays, Product product, long offset) {
        this.parts = List.copyOf(parts);
        this.rows = rows;
        this.cols = cols;
        this.decays = decays;
        this.product = product;
        this.offset = offset;
    }

    /** The pieces, as checkpoints name them. */
    public List<Part> parts() {
        return parts;
    }

    /** Rows: outputs of a projection, tokens of an embedding; 1 for a vector. */
    public int rows() {
        return rows;
    }

    /** Columns: inputs of a projection. */
    public int cols() {
        return cols;
    }

    /** Number of elements. */
    public long size() {
        return (long) rows * cols;
    }

    /** Whether weight decay applies by Hugging Face's rule: not to biases and norms. */
    public boolean decays() {
        return decays;
    }

    /** The product of a layer's forward step: NT for a matrix stored [rows, cols], NN for one stored [cols, rows]. */
    Product product() {
        return product;
    }

    /** First element within the model's flat memory. */
    public long offset() {
        return offset;
    }

    /**
     * The values.
     *
     * @throws IllegalStateException where the parts of a frozen matrix lie apart
     */
    public Storage data() {
        if (pieces.size() != 1) {
            throw new IllegalStateException("expected a matrix that lies together, found the parts of a frozen one"
                    + " where their file has them; load the model for training");
        }
        return pieces.getFirst();
    }

    /** The values of one part. */
    Storage data(Part part) {
        return pieces.size() == 1
                ? pieces.getFirst().slice(part.from(), part.size())
                : pieces.get(parts.indexOf(part));
    }

    /** The gradient, or null where the model is frozen. */
    public Storage grad() {
        return grad;
    }

    /** What the next product with this matrix multiplies, one block of rows below the other. */
    List<Block> use() {
        if (packer != null && used) {
            blocks = packed(packer);
            packer = null;
        }
        used = true;
        return blocks;
    }

    /** Bytes of the values. */
    long bytes() {
        return pieces.stream().mapToLong(piece -> piece.type().bytes(piece.size())).sum();
    }

    void bind(Storage data, Storage grad) {
        pieces = List.of(data);
        this.grad = grad;
        unpack();
    }

    /** Binds a frozen matrix to the places of its parts, in their order. */
    void bindParts(List<Storage> places) {
        pieces = List.copyOf(places);
        unpack();
    }

    /**
     * Has the matrix laid out for repeated multiplication with few rows; it must not change until {@link #unpack}. The first
     * product still takes it where it lies: that is a prompt's, to which the layout gives little, and an answer begins sooner.
     */
    void pack(Kernels kernels) {
        packer = kernels;
        used = false;
    }

    private List<Block> packed(Kernels kernels) {
        if (pieces.stream().map(Storage::type).distinct().count() > 1) {
            return blocks.stream().map(block -> new Block(block.rows(), block.data(),
                    kernels.pack(product, block.rows(), cols, block.data()))).toList();
        }
        try (Arena arena = Arena.ofConfined()) {
            return List.of(new Block(rows, null, kernels.pack(product, rows, cols, together(arena))));
        }
    }

    private Storage together(Arena arena) {
        if (pieces.size() == 1) {
            return pieces.getFirst();
        }
        Storage all = Storage.allocate(arena, pieces.getFirst().type(), size());
        for (Part part : parts) {
            all.slice(part.from(), part.size()).copyFrom(data(part));
        }
        return all;
    }

    /** Forgets the layout made by {@link #pack}. */
    void unpack() {
        packer = null;
        blocks = pieces.stream().map(piece -> new Block((int) (piece.size() / cols), piece, null)).toList();
    }
}
