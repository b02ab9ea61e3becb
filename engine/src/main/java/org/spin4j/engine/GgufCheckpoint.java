package org.spin4j.engine;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.spin4j.engine.GgufHeader.Entry;
import org.spin4j.engine.SafeTensors.NamedStorage;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** A model in a GGUF file, under the names and in the order of rows that Hugging Face's folder of it would have. */
final class GgufCheckpoint implements Checkpoint {
    private final Gguf file;
    private final DecoderConfig config;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private record Tensor(Entry entry, GgufLayout layout) {}

    private GgufCheckpoint(Gguf file) {
        this.file = file;
        GgufArchitecture architecture = GgufConfig.architecture(file);
        config = GgufConfig.read(file, architecture);
        for (Entry e : file.entries().values()) {
            if (e.name().equals(GgufConfig.ROPE_FACTORS) || e.name().equals(GgufConfig.HEAD) && config.tiedHead()) {
                continue;
            }
            GgufArchitecture.Place place = architecture.inFolder(e.name())
                    .orElseThrow(() -> new CheckpointException("expected only tensors that a " + architecture.id()
                            + " of this engine has, found '" + CheckpointJson.quote(e.name()) + "' in " + path()));
            if (place.layout() == GgufLayout.PAIRED && e.shape().getFirst() % config.headDim() != 0) {
                throw new CheckpointException("expected whole heads of " + config.headDim() + " rows, found "
                        + e.shape() + " of '" + CheckpointJson.quote(e.name()) + "' in " + path());
            }
            tensors.put(place.name(), new Tensor(e, place.layout()));
        }
    }

    static GgufCheckpoint open(Path path) {
        Gguf file = Gguf.open(path);
        try {
            return new GgufCheckpoint(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public Path path() {
        return file.file();
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public List<Long> shape(String name) {
        Tensor t = tensor(name);
        return t.layout.shape(t.entry.shape());
    }

    @Override
    public DType type(String name) {
        return GgufLayout.kept(tensor(name).entry.type());
    }

    @Override
    public void read(String name, Storage out) {
        Tensor t = tensor(name);
        if (t.entry.elements() != out.size()) {
            throw new CheckpointException("expected " + out.size() + " elements, found shape " + t.entry.shape()
                    + " of tensor " + t.entry.name() + " in " + path());
        }
        t.layout.read(t.entry.type(), file.bytes(t.entry), t.entry.shape(), config.headDim(), out);
    }

    @Override
    public Storage inPlace(String name) {
        Tensor t = tensor(name);
        return t.layout.inPlace(t.entry.type())
                ? Storage.wrap(file.bytes(t.entry), type(name), t.entry.elements())
                : null;
    }

    @Override
    public void close() {
        file.close();
    }

    /**
     * Writes a model as a file that llama.cpp and this engine load.
     *
     * @param matrices F32, F16, BF16 or Q8_0 (F16 where the rows of a matrix are not whole blocks of that); null keeps the types
     *                 of the tensors. Vectors are F32
     * @param tokenizer further metadata
     * @throws CheckpointException when GGUF has no such family, a number is too large for its type, or the file cannot be
     *                             written
     */
    static void write(Path file, DecoderConfig config, DType matrices, List<NamedStorage> tensors,
            Map<String, Object> tokenizer) {
        GgufArchitecture architecture = GgufArchitecture.of(config.json())
                .orElseThrow(() -> new CheckpointException("expected a model that can be written as GGUF ("
                        + GgufArchitecture.ids() + "), found model_type '"
                        + CheckpointJson.quote(config.json().path("model_type").asText()) + "' for " + file
                        + "; write a folder"));
        Map<String, Object> metadata = GgufConfig.write(config, architecture, tokenizer);
        List<GgufWriter.Tensor> out = new ArrayList<>();
        if (config.ropes().getFirst() instanceof RopeScaling.Llama3 rule) {
            float[] factors = GgufConfig.factors(rule, config.headDim());
            out.add(new GgufWriter.Tensor(GgufConfig.ROPE_FACTORS, List.of((long) factors.length), GgufType.F32,
                    () -> Storage.wrap(MemorySegment.ofArray(factors), DType.F32, factors.length)));
        }
        GgufType most = GgufType.F32;
        for (NamedStorage t : tensors) {
            GgufArchitecture.Place place = architecture.inFile(t.name());
            List<Long> shape = place.layout().shape(t.shape());
            GgufType type = type(shape, t.data().type(), matrices);
            most = t.shape().size() > 1 && t.data().size() > 0 ? type : most;
            out.add(new GgufWriter.Tensor(place.name(), shape, type,
                    () -> place.layout().ordered(t.data(), t.shape(), config.headDim())));
        }
        if (config.family() == DecoderConfig.Family.GPT2 && config.tiedHead()) {
            // The only family whose head llama.cpp wants even where it is the embedding.
            out.stream().filter(t -> t.name().equals("token_embd.weight")).findFirst().ifPresent(
                    t -> out.add(new GgufWriter.Tensor(GgufConfig.HEAD, t.shape(), t.type(), t.data())));
        }
        metadata.put("general.file_type", most.fileType());
        metadata.put("general.quantization_version", 2);
        GgufWriter.write(file, metadata, out);
    }

    private static GgufType type(List<Long> shape, DType own, DType matrices) {
        if (shape.size() == 1) {
            return GgufType.F32;
        }
        DType type = matrices == null ? own : matrices;
        return switch (type) {
            case F32, F64 -> GgufType.F32;
            case F16 -> GgufType.F16;
            case BF16 -> GgufType.BF16;
            case Q8_0 -> shape.getLast() % type.block() == 0 ? GgufType.Q8_0 : GgufType.F16;
        };
    }

    private Tensor tensor(String name) {
        Tensor t = tensors.get(name);
        if (t == null) {
            throw new CheckpointException("expected tensor " + CheckpointJson.quote(name) + ", found none of that name"
                    + " among " + tensors.size() + " in " + path() + "; the file is incomplete");
        }
        return t;
    }
}
