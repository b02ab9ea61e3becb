package org.spin4j.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * A Llama as Karpathy's llama2.c writes it ({@code export.py}): sizes, then all weights in F32, those of one kind for all layers
 * behind each other. Version 0 has 7 numbers before them, version 1 a header of 256 bytes and the norms first. Rows of queries
 * and keys that rotate together are neighbours, as in GGUF.
 */
final class Llama2cCheckpoint implements Checkpoint {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAGIC = 0x616b3432; // "ak42"
    private static final int SIZES = 7;
    private static final int HEADER_BYTES = 256;
    private static final String LAYERS = "model.layers.";

    private final Path path;
    private final Arena arena;
    private final MemorySegment all;
    private final DecoderConfig config;
    private final Map<String, Place> tensors = new LinkedHashMap<>();
    private long at;

    private record Place(long offset, List<Long> shape, GgufLayout layout) {
        long elements() {
            return shape.stream().reduce(1L, (a, b) -> a * b);
        }
    }

    private Llama2cCheckpoint(Path path, Arena arena, MemorySegment all) {
        this.path = path;
        this.arena = arena;
        this.all = all;
        boolean legacy = all.byteSize() < 4 || all.get(INT, 0) != MAGIC;
        long header = legacy ? 4L * SIZES : HEADER_BYTES;
        if (all.byteSize() < header) {
            throw bad("at least " + header + " bytes", all.byteSize() + "");
        }
        if (!legacy && all.get(INT, 4) != 1) {
            throw bad("version 0 or 1 of the format, in F32",
                    "version " + Integer.toUnsignedString(all.get(INT, 4)) + (all.get(INT, 4) == 2 ? " (Q8)" : ""));
        }
        int[] sizes = all.asSlice(legacy ? 0 : 8, 4L * SIZES).toArray(INT);
        // The legacy header tells a head of its own by a negative vocabulary.
        boolean tied = legacy ? sizes[5] > 0 : all.get(ValueLayout.JAVA_BYTE, 8 + 4L * SIZES) != 0;
        sizes[5] = Math.abs(sizes[5]);
        config = config(sizes, tied);
        at = header;
        if (legacy) {
            placeLegacy();
        } else {
            placeVersion1();
        }
        if (at != all.byteSize()) {
            throw bad(at + " bytes for " + config.layers() + " layers of " + config.hiddenSize(), all.byteSize() + "");
        }
    }

    static Llama2cCheckpoint open(Path path) {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new CheckpointException(
                    "expected a little-endian machine to read " + path + ", found a big-endian one");
        }
        return MappedFile.open(path, "llama2.c's model file",
                (arena, all) -> new Llama2cCheckpoint(path, arena, all));
    }

    private DecoderConfig config(int[] sizes, boolean tied) {
        List<String> names = List.of("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len");
        for (int i = 0; i < SIZES; i++) {
            // Each layer, token and position has numbers of its own, so that none of these can exceed the file.
            if (sizes[i] < 1 || sizes[i] > all.byteSize()) {
                throw bad("1 to " + all.byteSize() + " as " + names.get(i), Integer.toString(sizes[i]));
            }
        }
        if (sizes[0] % sizes[3] != 0 || sizes[0] / sizes[3] % 2 != 0) {
            throw bad("heads of an even width", sizes[3] + " heads for " + sizes[0] + " numbers");
        }
        ObjectNode json = DecoderConfig.llamaKeys(sizes[5], sizes[0], sizes[2], sizes[3], sizes[4], sizes[1], sizes[6],
                tied);
        // llama2.c begins texts with token 1, and takes the beginning of the next for the end of one.
        if (sizes[5] > 2) {
            json.put("bos_token_id", 1);
            json.putArray("eos_token_id").add(2).add(1);
        }
        return DecoderConfig.parse(json, path.toString());
    }

    // ---- order of the weights ----------------------------------------------------------------------------------------

    private void placeLegacy() {
        embedding();
        norms("input_layernorm");
        attention();
        norms("post_attention_layernorm");
        feedForward();
        place("model.norm.weight", GgufLayout.SAME, config.hiddenSize());
        // Cosines and sines of the rotary positions, which are computed here.
        at = Math.addExact(at, 4L * config.maxPositions() * config.headDim());
        head();
    }

    private void placeVersion1() {
        norms("input_layernorm");
        norms("post_attention_layernorm");
        place("model.norm.weight", GgufLayout.SAME, config.hiddenSize());
        embedding();
        attention();
        feedForward();
        head();
    }

    private void embedding() {
        place("model.embed_tokens.weight", GgufLayout.SAME, config.vocabSize(), config.hiddenSize());
    }

    private void head() {
        if (!config.tiedHead()) {
            place("lm_head.weight", GgufLayout.SAME, config.vocabSize(), config.hiddenSize());
        }
    }

    private void norms(String name) {
        eachLayer(name, GgufLayout.SAME, config.hiddenSize());
    }

    private void attention() {
        int q = config.heads() * config.headDim();
        int kv = config.kvHeads() * config.headDim();
        eachLayer("self_attn.q_proj", GgufLayout.PAIRED, q, config.hiddenSize());
        eachLayer("self_attn.k_proj", GgufLayout.PAIRED, kv, config.hiddenSize());
        eachLayer("self_attn.v_proj", GgufLayout.SAME, kv, config.hiddenSize());
        eachLayer("self_attn.o_proj", GgufLayout.SAME, config.hiddenSize(), q);
    }

    private void feedForward() {
        eachLayer("mlp.gate_proj", GgufLayout.SAME, config.intermediateSize(), config.hiddenSize());
        eachLayer("mlp.down_proj", GgufLayout.SAME, config.hiddenSize(), config.intermediateSize());
        eachLayer("mlp.up_proj", GgufLayout.SAME, config.intermediateSize(), config.hiddenSize());
    }

    private void eachLayer(String name, GgufLayout layout, long... shape) {
        for (int i = 0; i < config.layers(); i++) {
            place(LAYERS + i + "." + name + ".weight", layout, shape);
        }
    }

    private void place(String name, GgufLayout layout, long... shape) {
        Place p = new Place(at, Arrays.stream(shape).boxed().toList(), layout);
        // A matrix has fewer than 2^31 numbers, which the configuration was checked for, so this cannot overflow.
        at += 4 * p.elements();
        if (at > all.byteSize()) {
            throw bad("weights of " + config.layers() + " layers of " + config.hiddenSize(),
                    "the end of the file after "
                            + all.byteSize() + " bytes, within " + name);
        }
        tensors.put(name, p);
    }

    // ---- Checkpoint --------------------------------------------------------------------------------------------------

    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public List<Long> shape(String name) {
        return tensor(name).shape;
    }

    @Override
    public DType type(String name) {
        tensor(name);
        return DType.F32;
    }

    @Override
    public void read(String name, Storage out) {
        Place p = tensor(name);
        if (p.elements() != out.size()) {
            throw bad(out.size() + " elements of " + name, p.shape.toString());
        }
        p.layout.read(GgufType.F32, bytes(p), p.shape, config.headDim(), out);
    }

    @Override
    public Storage inPlace(String name) {
        Place p = tensor(name);
        return p.layout.inPlace(GgufType.F32) ? Storage.wrap(bytes(p), DType.F32, p.elements()) : null;
    }

    @Override
    public void close() {
        arena.close();
    }

    private MemorySegment bytes(Place p) {
        return all.asSlice(p.offset, 4 * p.elements());
    }

    private Place tensor(String name) {
        Place p = tensors.get(name);
        if (p == null) {
            throw new CheckpointException("expected tensor " + CheckpointJson.quote(name) + ", found none of that name"
                    + " in " + path);
        }
        return p;
    }

    private CheckpointException bad(String expected, String found) {
        return new CheckpointException("expected " + expected + ", found " + found + " in " + path
                + "; the file is damaged, cut short or not llama2.c's");
    }
}
