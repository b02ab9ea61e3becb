package org.spin4j.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * A decoder-only transformer built from its {@link DecoderConfig}: Llama style (RMSNorm, rotary positions, SwiGLU,
 * grouped-query heads) or GPT-Neo style (LayerNorm, learned positions, GELU, alternating local attention). Both run the same
 * few lines: x += attention(norm(x)); x += mlp(norm(x)).
 */
public final class Decoder implements AutoCloseable {
    /** What one layer multiplies with; a bias that the family lacks is null. */
    private record Layer(Parameter norm1, Parameter norm1Bias, Parameter qkv, Parameter qkvBias, Parameter out,
            Parameter outBias, Parameter norm2, Parameter norm2Bias, Parameter up, Parameter upBias, Parameter down,
            Parameter downBias, AttentionShape attention) {}

    /** How attention is computed: over the segments of a batch, or over a cache of earlier keys and values. */
    @FunctionalInterface
    interface Attention {
        /** Attention output [tokens, shape.outWidth()] of layer {@code layer} from packed, rotated qkv rows. */
        Tensor apply(Tape tape, Tensor qkv, AttentionShape shape, int layer);
    }

    /** Bytes of matrices that any machine has room for twice; asking how much memory there is takes a while. */
    private static final long ALWAYS_PACKED = 1L << 30;

    private final Arena arena;
    private final DecoderConfig config;
    private final Parameters parameters;
    private final Parameter tokens;
    private final Parameter positions;
    private final Parameter finalNorm;
    private final Parameter finalNormBias;
    private final Head head;
    private final List<Layer> layers = new ArrayList<>();
    /** Turns of the rotary positions seen so far; null where the family learns its positions. */
    private Storage cosSin;
    private int rotated;
    /** Where frozen weights lie, or null. */
    private Checkpoint inPlace;

    private Decoder(DecoderConfig config, DType type) {
        this(config, (builder, arena) -> builder.build(arena, type));
    }

    private Decoder(DecoderConfig config, BiFunction<Parameters.Builder, Arena, Parameters> build) {
        this.config = config;
        arena = Arena.ofShared();
        Parameters.Builder b = new Parameters.Builder();
        boolean llama = config.family() == DecoderConfig.Family.LLAMA;
        int dim = config.hiddenSize();
        if (llama) {
            tokens = b.matrix(dim, "model.embed_tokens.weight", config.vocabSize());
            positions = null;
            for (int i = 0; i < config.layers(); i++) {
                layers.add(llamaLayer(b, i));
            }
            finalNorm = b.vector("model.norm.weight", dim);
            finalNormBias = null;
        } else {
            tokens = b.matrix(dim, "transformer.wte.weight", config.vocabSize());
            positions = b.matrix(dim, "transformer.wpe.weight", config.maxPositions());
            for (int i = 0; i < config.layers(); i++) {
                layers.add(gptNeoLayer(b, i));
            }
            finalNorm = b.vector("transformer.ln_f.weight", dim);
            finalNormBias = b.vector("transformer.ln_f.bias", dim);
        }
        head = new Head(config.tiedHead() ? tokens : b.matrix(dim, "lm_head.weight", config.vocabSize()), 0);
        try {
            parameters = build.apply(b, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
        if (llama) {
            growRotations(256);
        }
    }

    private Layer llamaLayer(Parameters.Builder b, int i) {
        String at = "model.layers." + i + ".";
        int dim = config.hiddenSize();
        int q = config.heads() * config.headDim();
        int kv = config.kvHeads() * config.headDim();
        int hidden = config.intermediateSize();
        boolean bias = config.attentionBias();
        Parameter norm1 = b.vector(at + "input_layernorm.weight", dim);
        Parameter qkv = b.matrix(dim, at + "self_attn.q_proj.weight", q, at + "self_attn.k_proj.weight", kv,
                at + "self_attn.v_proj.weight", kv);
        Parameter qkvBias = bias
                ? b.vector(at + "self_attn.q_proj.bias", q, at + "self_attn.k_proj.bias", kv,
                        at + "self_attn.v_proj.bias", kv)
                : null;
        Parameter out = b.matrix(q, at + "self_attn.o_proj.weight", dim);
        Parameter outBias = bias ? b.vector(at + "self_attn.o_proj.bias", dim) : null;
        Parameter norm2 = b.vector(at + "post_attention_layernorm.weight", dim);
        Parameter up = b.matrix(dim, at + "mlp.gate_proj.weight", hidden, at + "mlp.up_proj.weight", hidden);
        Parameter upBias = config.mlpBias()
                ? b.vector(at + "mlp.gate_proj.bias", hidden, at + "mlp.up_proj.bias", hidden)
                : null;
        Parameter down = b.matrix(hidden, at + "mlp.down_proj.weight", dim);
        Parameter downBias = config.mlpBias() ? b.vector(at + "mlp.down_proj.bias", dim) : null;
        AttentionShape shape = new AttentionShape(config.heads(), config.kvHeads(), config.headDim(),
                1 / Math.sqrt(config.headDim()), config.windows().get(i));
        return new Layer(norm1, null, qkv, qkvBias, out, outBias, norm2, null, up, upBias, down, downBias, shape);
    }

    private Layer gptNeoLayer(Parameters.Builder b, int i) {
        String at = "transformer.h." + i + ".";
        int dim = config.hiddenSize();
        Parameter norm1 = b.vector(at + "ln_1.weight", dim);
        Parameter norm1Bias = b.vector(at + "ln_1.bias", dim);
        Parameter qkv = b.matrix(dim, at + "attn.attention.q_proj.weight", dim, at + "attn.attention.k_proj.weight",
                dim,
                at + "attn.attention.v_proj.weight", dim);
        Parameter out = b.matrix(dim, at + "attn.attention.out_proj.weight", dim);
        Parameter outBias = b.vector(at + "attn.attention.out_proj.bias", dim);
        Parameter norm2 = b.vector(at + "ln_2.weight", dim);
        Parameter norm2Bias = b.vector(at + "ln_2.bias", dim);
        Parameter up = b.matrix(dim, at + "mlp.c_fc.weight", config.intermediateSize());
        Parameter upBias = b.vector(at + "mlp.c_fc.bias", config.intermediateSize());
        Parameter down = b.matrix(config.intermediateSize(), at + "mlp.c_proj.weight", dim);
        Parameter downBias = b.vector(at + "mlp.c_proj.bias", dim);
        // GPT-Neo does not divide scores by sqrt(headDim).
        AttentionShape shape = new AttentionShape(config.heads(), config.heads(), config.headDim(), 1,
                config.windows().get(i));
        return new Layer(norm1, norm1Bias, qkv, null, out, outBias, norm2, norm2Bias, up, upBias, down, downBias,
                shape);
    }

    /**
     * Cosines and sines of the first positions, at least {@code needed} of them, rounded as Hugging Face rounds them: the angle
     * is a float product. Grown on demand, since a config may promise far more positions than anybody uses.
     */
    private void growRotations(int needed) {
        int half = config.headDim() / 2;
        int count = (int) Math.min(config.maxPositions(), Math.max(needed, 2L * rotated));
        double[] frequency = config.rope().inverseFrequencies(config.headDim());
        Storage table = Storage.allocate(arena, parameters.type(), (long) count * 2 * half);
        for (int p = 0; p < count; p++) {
            for (int j = 0; j < half; j++) {
                float angle = p * (float) frequency[j];
                table.set((long) p * 2 * half + j, (float) Math.cos(angle));
                table.set((long) p * 2 * half + half + j, (float) Math.sin(angle));
            }
        }
        cosSin = table;
        rotated = count;
    }

    // ---- making, loading, saving -------------------------------------------------------------------------------------

    /** A model with random weights: N(0, initializerRange²) for matrices, 1 for norm weights, 0 for biases. */
    public static Decoder random(DecoderConfig config, DType type, long seed) {
        Decoder d = new Decoder(config, type);
        long stream = 0;
        for (Parameter p : d.parameters.list()) {
            RandomStream random = RandomStream.of(seed, "init", stream++);
            for (Parameter.Part part : p.parts()) {
                for (long i = part.from(); i < part.from() + part.size(); i++) {
                    double value = p.decays() ? config.initializerRange() * random.nextGaussian() : 0;
                    p.data().set(i, part.name().endsWith(".bias") || p.decays() ? value : 1);
                }
            }
        }
        return d;
    }

    /** Opens a checkpoint, a folder in Hugging Face layout for example; weights are widened to F32. */
    public static Decoder load(Path path) {
        return load(path, DType.F32);
    }

    /** Opens a checkpoint; weights are widened to {@code type}. */
    public static Decoder load(Path path, DType type) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return new Decoder(checkpoint.config(), (builder, arena) -> builder.load(arena, type, checkpoint));
        }
    }

    /**
     * Opens a checkpoint for generation and scoring, never to be trained: matrices keep the type of the
     * file (F32, BF16 or F16), vectors are F32. Results are those of {@link #load(Path)} bit for bit.
     */
    public static Decoder loadFrozen(Path path) {
        return loadFrozen(path, null);
    }

    /**
     * Opens a checkpoint for generation and scoring, with matrices rounded to a type. Matrices that the file has in that type
     * are not copied: they stay mapped until {@link #close}, and what is not used of them is never fetched from the disk. The file must not be
     * shortened meanwhile, or the next look at it ends in an {@link InternalError}; one that is replaced by a rename does no harm.
     *
     * @param matrices F32, BF16, F16 or Q8_0; in Q8_0 a matrix whose rows are not whole blocks is stored as F16. Null keeps
     *                 the type of the file
     */
    public static Decoder loadFrozen(Path path, DType matrices) {
        Checkpoint checkpoint = Checkpoint.open(path);
        try {
            Decoder d = new Decoder(checkpoint.config(),
                    (builder, arena) -> builder.loadFrozen(arena, checkpoint, matrices));
            d.inPlace = checkpoint;
            return d;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** Replaces the weights by those of a checkpoint that holds the same model. */
    public void restore(Path path) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            parameters.read(checkpoint);
        }
    }

    /** A second model with the same weights, without gradients: the frozen opponent or reference. */
    public Decoder copy() {
        Decoder d = new Decoder(config, parameters.type());
        d.parameters.data().copyFrom(parameters.data());
        return d;
    }

    /**
     * Writes a folder in Hugging Face layout.
     *
     * @param dtype          F32, F16 or BF16
     * @param copyOthersFrom folder whose tokenizer files go along, or null
     */
    public void save(Path folder, String dtype, Path copyOthersFrom) {
        ModelFolder.write(folder, config, dtype, tensors(), copyOthersFrom);
    }

    /**
     * Writes a GGUF file, which llama.cpp loads.
     *
     * @param matrices  F32, F16, BF16 or Q8_0 (F16 where the rows of a matrix are not whole blocks of that); null keeps their types.
     *                  Vectors are F32
     * @param tokenizer the metadata of the tokenizer and the chat template
     */
    public void saveGguf(Path file, DType matrices, Map<String, Object> tokenizer) {
        GgufCheckpoint.write(file, config, matrices, tensors(), tokenizer);
    }

    /** All weights, as checkpoints name them. */
    List<SafeTensors.NamedStorage> tensors() {
        List<SafeTensors.NamedStorage> tensors = new ArrayList<>();
        for (String name : parameters.names()) {
            tensors.add(new SafeTensors.NamedStorage(name, parameters.shape(name), parameters.data(name)));
        }
        return tensors;
    }

    /** What the model was built from. */
    public DecoderConfig config() {
        return config;
    }

    /** The weights. */
    public Parameters parameters() {
        return parameters;
    }

    /** What turns hidden rows into logits. */
    public Head head() {
        return head;
    }

    // ---- forward -----------------------------------------------------------------------------------------------------

    /**
     * Forward pass over a batch.
     *
     * @param ids    the tokens of the flat row
     * @param forest how they belong together
     * @return normalised hidden rows [tokens, hiddenSize], to be given to {@link TokenLogProbs}
     */
    public Tensor forward(Tape tape, int[] ids, Forest forest) {
        if (ids.length != forest.tokens()) {
            throw new IllegalArgumentException("expected " + forest.tokens() + " ids, found " + ids.length);
        }
        return forward(tape, ids, forest.positions(),
                (t, qkv, shape, layer) -> SegmentAttention.apply(t, qkv, shape, forest));
    }

    Tensor forward(Tape tape, int[] ids, int[] at, Attention attention) {
        check(ids, at);
        double eps = config.normEps();
        Tensor x = Embedding.apply(tape, ids, tokens, at, positions);
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            Tensor h = Norm.apply(tape, x, layer.norm1(), layer.norm1Bias(), eps, 0);
            Tensor qkv = Linear.apply(tape, h, layer.qkv(), layer.qkvBias(), null);
            tape.release(h);
            if (cosSin != null) {
                Rope.apply(tape, qkv, layer.attention(), at, cosSin);
            }
            Tensor a = attention.apply(tape, qkv, layer.attention(), i);
            tape.release(qkv);
            Tensor y = Linear.apply(tape, a, layer.out(), layer.outBias(), x);
            tape.release(a);
            tape.release(x);
            Tensor g = Norm.apply(tape, y, layer.norm2(), layer.norm2Bias(), eps, 0);
            Tensor up = Linear.apply(tape, g, layer.up(), layer.upBias(), null);
            tape.release(g);
            Tensor act = cosSin != null ? SwiGlu.apply(tape, up) : Gelu.apply(tape, up);
            tape.release(up);
            x = Linear.apply(tape, act, layer.down(), layer.downBias(), y);
            tape.release(act);
            tape.release(y);
        }
        Tensor normed = Norm.apply(tape, x, finalNorm, finalNormBias, eps, 0);
        tape.release(x);
        return normed;
    }

    private void check(int[] ids, int[] at) {
        int last = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= config.vocabSize()) {
                throw new IllegalArgumentException(
                        "expected token ids from 0 to " + (config.vocabSize() - 1) + ", found "
                                + ids[i] + "; is this the model's tokenizer?");
            }
            if (at[i] >= config.maxPositions()) {
                throw new IllegalArgumentException("expected sequences of at most " + config.maxPositions()
                        + " tokens (max_position_embeddings), found position " + at[i] + "; set max_length");
            }
            last = Math.max(last, at[i]);
        }
        if (cosSin != null && last >= rotated) {
            growRotations(last + 1);
        }
    }

    // ---- sampling ----------------------------------------------------------------------------------------------------

    int layers() {
        return layers.size();
    }

    AttentionShape attention(int layer) {
        return layers.get(layer).attention();
    }

    /**
     * Lays the weights out for repeated multiplication with few rows; they must not change until {@link #unpack}. Left out for a
     * model that is large for this machine, since it doubles what is kept in memory: the same numbers come out, later.
     */
    void pack(Kernels kernels) {
        long bytes = multiplied().mapToLong(Parameter::bytes).sum();
        if (bytes <= ALWAYS_PACKED || bytes <= physicalMemory() / 4) {
            multiplied().forEach(p -> p.pack(kernels));
        }
    }

    private Stream<Parameter> multiplied() {
        return Stream.concat(layers.stream().flatMap(l -> Stream.of(l.qkv(), l.out(), l.up(), l.down())),
                Stream.of(head.weight()));
    }

    private static long physicalMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }

    /** Forgets the layout made by {@link #pack}. */
    void unpack() {
        multiplied().forEach(Parameter::unpack);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        arena.close();
        if (inPlace != null) {
            inPlace.close();
        }
    }
}
