package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.StreamSupport;
import org.spin4j.engine.CheckpointFormat;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.DType;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.BadInputException;
import org.spin4j.training.ModelText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a model in another format. */
@Command(name = "convert", description = {"Writes a model in another format or type, with its tokenizer.", "",
        "  reads   a folder in Hugging Face layout, a .gguf file, a .bin file of llama2.c",
        "  writes  a folder, or a GGUF file where --out ends in .gguf"}, footer = {"", "Example:",
                "  spin4j convert --model runs/sft/model --out model.gguf --dtype q8_0"})
final class ConvertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOption model;

    @Option(names = "--out", required = true, paramLabel = "PATH", description = "A new folder, or a new file NAME.gguf.")
    private Path out;

    @Option(names = "--tokenizer", paramLabel = "PATH", description = "Takes the tokenizer from there (default: the model's).")
    private Path tokenizer;

    @Option(names = "--json", description = "Print the summary as JSON.")
    private boolean json;

    @Mixin
    private TemplateOption template;

    @Mixin
    private Weights weights;

    @Override
    public Integer call() {
        boolean gguf = out.toString().endsWith(".gguf");
        if (out.toString().endsWith(".bin")) {
            throw BadInputException
                    .of("expected a folder or a .gguf file to write, found %s; files of llama2.c are only "
                            + "read", out);
        }
        if (gguf && Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
            throw BadInputException.of("expected a new file, found one at %s; remove it or choose another name", out);
        }
        ModelText text = ModelText.of(model.path(), Optional.ofNullable(tokenizer), template.chosen());
        try (Decoder decoder = Decoder.loadFrozen(model.path())) {
            DType type = weights.matrices().orElse(null);
            if (gguf) {
                decoder.saveGguf(out, type, metadata(text, decoder));
            } else {
                saveFolder(decoder, type == null ? own(decoder) : type, text);
            }
            print(decoder, gguf);
        }
        return 0;
    }

    private Map<String, Object> metadata(ModelText text, Decoder decoder) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("general.name", model.path().toAbsolutePath().normalize().getFileName().toString());
        out.putAll(text.tokenizer()
                .map(own -> own.toGguf(text.template(), decoder.config().vocabSize()))
                .orElse(Map.of("tokenizer.ggml.model", "none")));
        return out;
    }

    private void saveFolder(Decoder decoder, DType type, ModelText text) {
        if (type == DType.Q8_0) {
            throw BadInputException.of("expected f32, f16 or bf16 for a folder, found q8_0; write a .gguf file");
        }
        boolean whole = tokenizer == null && template.chosen().isEmpty()
                && CheckpointFormat.of(model.path()) == CheckpointFormat.FOLDER;
        if (whole) {
            decoder.save(out, type.name(), model.path());
            return;
        }
        try {
            Path companions = Files.createTempDirectory("spin4j-tokenizer");
            try {
                text.save(companions);
                decoder.save(out, type.name(), companions);
            } finally {
                AtomicFiles.deleteTree(companions);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The type of all matrices; F32 where they differ, or a folder has none for it. */
    private static DType own(Decoder decoder) {
        List<DType> types = StreamSupport.stream(decoder.parameters().names().spliterator(), false)
                .filter(name -> decoder.parameters().shape(name).size() > 1)
                .map(name -> decoder.parameters().data(name).type()).distinct().toList();
        return types.size() == 1 && types.getFirst() != DType.Q8_0 ? types.getFirst() : DType.F32;
    }

    private void print(Decoder decoder, boolean gguf) {
        long parameters = decoder.parameters().count();
        if (json) {
            spec.commandLine().getOut().println(new ObjectMapper().createObjectNode().put("out", out.toString())
                    .put("format", gguf ? "gguf" : "folder").put("parameters", parameters));
        } else {
            spec.commandLine().getOut().println(String.format(Locale.ROOT, "%s: %,d parameters", out, parameters));
        }
    }
}
