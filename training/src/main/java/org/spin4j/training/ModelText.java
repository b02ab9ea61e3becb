package org.spin4j.training;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.spin4j.engine.CheckpointFormat;
import org.spin4j.engine.Gguf;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.Tokenizer;

/**
 * How a model reads and writes: its tokenizer and its chat template, wherever its format keeps them. Either may be missing; rows
 * of ids need neither.
 *
 * @param folder whose files say all of them; empty where they were read from a GGUF file or one of llama2.c
 */
public record ModelText(Optional<Tokenizer> tokenizer, Optional<ChatTemplate> template, Optional<Path> folder) {
    /** Those of a model. */
    public static ModelText of(Path model) {
        return of(model, Optional.empty(), Optional.empty());
    }

    /**
     * Those of a model, or others.
     *
     * @param model        a folder, a GGUF file, or a file of llama2.c, whose tokenizer lies in the same folder
     * @param tokenizer    a file or a folder to take the tokenizer from instead
     * @param chatTemplate a name or a file, as {@link ChatTemplate#choose} takes it, to use instead
     */
    public static ModelText of(Path model, Optional<Path> tokenizer, Optional<String> chatTemplate) {
        Path from = tokenizer.orElse(model);
        if (CheckpointFormat.isGguf(from)) {
            Map<String, Object> metadata;
            try (Gguf file = Gguf.open(from)) {
                metadata = file.metadata();
            }
            return new ModelText(Tokenizer.ofGguf(metadata, from.toString()),
                    chatTemplate.map(chosen -> ChatTemplate.choose(chosen, metadata, from.toString()))
                            .or(() -> ChatTemplate.ofGguf(metadata, from.toString())),
                    Optional.empty());
        }
        boolean llama2c = tokenizer.isEmpty() && CheckpointFormat.of(model) == CheckpointFormat.LLAMA2C;
        Path folder = Files.isDirectory(from) ? from : from.toAbsolutePath().getParent();
        return new ModelText(Tokenizer.find(llama2c ? folder : from),
                chatTemplate.map(chosen -> ChatTemplate.choose(chosen, folder)).or(() -> ChatTemplate.find(folder)),
                llama2c ? Optional.empty() : Optional.of(folder));
    }

    /**
     * Writes the tokenizer's files into a folder, with the chat template that is in use, so that a model saved with them is asked as it
     * was taught.
     */
    public void save(Path to) throws IOException {
        if (folder.isEmpty()) {
            tokenizer.ifPresent(own -> own.saveFolder(to, template));
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.get(),
                "{*token*,vocab*,merges*,generation_config*}.{json,txt,model}")) {
            for (Path file : files) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        if (template.isPresent()) {
            Files.writeString(to.resolve("chat_template.jinja"), template.get().source());
        }
    }
}
