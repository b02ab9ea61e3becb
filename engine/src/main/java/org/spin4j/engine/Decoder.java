package org.spin4j.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
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
 * A decoder-only transformer built from its {@link DecoderConfig}: Llama style (RMSNorm, rotary positions, grouped-query
 * heads, a gated feed-forward block), Gemma's variation of it, or GPT style (LayerNorm, learned positions, GELU). All run the same
 * few lines: x += attention(norm(x)); x += mlp(norm(x)).
 */
public final class Decoder implements AutoCloseable {
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
    private final List<DecoderLayer> layers = new ArrayList<>();
    /** Per layer, its rotary positions; those of {@link RopeScaling.None} are never read. */
    private final Map<RopeScaling, RotaryTable> rotations = new HashMap<>();
    /** Where frozen weights lie, or null. */
    private Checkpoint inPlace;

    private Decoder(DecoderConfig config, DType type) {
        this(config, (builder, arena) -> builder.build(arena, type));
    }

    private Decoder(DecoderConfig config, BiFunction<Parameters.Builder, Arena, Parameters> build) {
        this.config = config;
        arena = Arena.ofShared();
        Parameters.Builder b = new Parameters.Builder();
        DecoderConfig.Family family = config.family();
        int dim = config.hiddenSize();
        boolean learned = family == DecoderConfig.Family.GPT2 || family == DecoderConfig.Family.GPT_NEO;
        String prefix = family.prefix();
        tokens = b.matrix(dim, prefix + (learned ? "wte.weight" : "embed_tokens.weight"), config.vocabSize());
        positions = learned ? b.matrix(dim, prefix + "wpe.weight", config.maxPositions()) : null;
        for (int i = 0; i < config.layers(); i++) {
            layers.add(DecoderLayer.of(config, b, i));
        }
        finalNorm = b.vector(prefix + (learned ? "ln_f.weight" : "norm.weight"), dim);
        finalNormBias = learned ? b.vector(prefix + "ln_f.bias", dim) : null;
        head = new Head(config.tiedHead() ? tokens : b.matrix(dim, "lm_head.weight", config.vocabSize()),
                config.logitSoftcap());
        try {
            parameters = build.apply(b, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
        for (RopeScaling rope : config.ropes()) {
            if (!(rope instanceof RopeScaling.None)) {
                rotations.computeIfAbsent(rope, r -> new RotaryTable(arena, parameters.type(), r, config.headDim(),
                        config.maxPositions()));
            }
        }
    }

    // ---- making, loading, saving -------------------------------------------------------------------------------------

    /** A model with random weights: N(0, initializerRange²) for matrices, norms that scale by 1, biases of 0. */
    public static Decoder random(DecoderConfig config, DType type, long seed) {
        Decoder d = new Decoder(config, type);
        double unit = 1 - d.normOffset();
        long stream = 0;
        for (Parameter p : d.parameters.list()) {
            RandomStream random = RandomStream.of(seed, "init", stream++);
            for (Parameter.Part part : p.parts()) {
                for (long i = part.from(); i < part.from() + part.size(); i++) {
                    double value = p.decays() ? config.initializerRange() * random.nextGaussian() : 0;
                    p.data().set(i, part.name().endsWith(".bias") || p.decays() ? value : unit);
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
        Tensor x = Embedding.apply(tape, ids, tokens, at, positions);
        if (gemma()) {
            Tensor embedded = x;
            x = Scale.apply(tape, embedded, Math.sqrt(config.hiddenSize()));
            tape.release(embedded);
        }
        int site = 0;
        Dropout.apply(tape, x, site++);
        for (int i = 0; i < layers.size(); i++) {
            DecoderLayer layer = layers.get(i);
            Tensor h = norm(tape, x, layer.norm1(), layer.norm1Bias());
            Tensor qkv = Linear.apply(tape, h, layer.qkv(), layer.qkvBias(), null);
            tape.release(h);
            if (layer.queryNorm() != null) {
                HeadNorm.apply(tape, qkv, layer.attention(), layer.queryNorm(), layer.keyNorm(), config.normEps(),
                        normOffset());
            }
            RotaryTable rotation = rotations.get(config.ropes().get(i));
            if (rotation != null) {
                Rope.apply(tape, qkv, layer.attention(), at, rotation.cosSin());
            }
            Tensor a = attention.apply(tape, qkv, layer.attention(), i);
            tape.release(qkv);
            Tensor y = project(tape, a, layer.out(), layer.outBias(), layer.outNorm(), x, site++);
            tape.release(a);
            tape.release(x);
            Tensor g = norm(tape, y, layer.norm2(), layer.norm2Bias());
            Tensor up = Linear.apply(tape, g, layer.up(), layer.upBias(), null);
            tape.release(g);
            Tensor act = switch (config.family()) {
                case LLAMA -> SwiGlu.apply(tape, up);
                case GEMMA -> GeGlu.apply(tape, up);
                case GPT2, GPT_NEO -> Gelu.apply(tape, up);
            };
            tape.release(up);
            x = project(tape, act, layer.down(), layer.downBias(), layer.downNorm(), y, site++);
            tape.release(act);
            tape.release(y);
        }
        Tensor normed = norm(tape, x, finalNorm, finalNormBias);
        tape.release(x);
        return normed;
    }

    private boolean gemma() {
        return config.family() == DecoderConfig.Family.GEMMA;
    }

    /** What is added to the weights of norms: Gemma's are differences from 1. */
    private double normOffset() {
        return gemma() ? 1 : 0;
    }

    private Tensor norm(Tape tape, Tensor x, Parameter weight, Parameter bias) {
        return Norm.apply(tape, x, weight, bias, config.normEps(), normOffset());
    }

    /** residual + x·Wᵀ + b, or with a norm residual + norm(x·Wᵀ + b); what is added to the residual may be dropped. */
    private Tensor project(Tape tape, Tensor x, Parameter weight, Parameter bias, Parameter norm, Tensor residual,
            int site) {
        if (norm == null && !tape.dropout().drops()) {
            return Linear.apply(tape, x, weight, bias, residual);
        }
        Tensor y = Linear.apply(tape, x, weight, bias, null);
        if (norm != null) {
            Tensor projected = y;
            y = norm(tape, projected, norm, null);
            tape.release(projected);
        }
        Dropout.apply(tape, y, site);
        Residual.add(tape, y, residual);
        return y;
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
        for (RotaryTable rotation : rotations.values()) {
            rotation.need(last);
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
