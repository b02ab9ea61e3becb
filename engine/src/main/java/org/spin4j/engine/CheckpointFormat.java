package org.spin4j.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** In what form a model lies on the disk. */
public enum CheckpointFormat {
    /** Hugging Face's: {@code config.json} and safetensors in a folder. */
    FOLDER,
    /** One file of llama.cpp, with the tokenizer in it. */
    GGUF,
    /** One file of Karpathy's llama2.c; the tokenizer is another. */
    LLAMA2C;

    /**
     * The form of what lies at {@code path}; a path with nothing at it counts as a folder.
     *
     * @throws CheckpointException for a file of another kind, or one that cannot be read
     */
    public static CheckpointFormat of(Path path) {
        if (!Files.isRegularFile(path)) {
            return FOLDER;
        }
        if (isGguf(path)) {
            return GGUF;
        }
        String name = path.toString();
        if (name.endsWith(".bin") || begin(path).equals("24ka")) {
            return LLAMA2C;
        }
        throw new CheckpointException(
                "expected a model: a folder in Hugging Face layout, a .gguf file or a .bin file of llama2.c, found"
                        + " another file at " + path
                        + (name.endsWith(".safetensors") ? "; name the folder that it lies in" : ""));
    }

    /** Whether a file is in GGUF, by its name or its first bytes. */
    public static boolean isGguf(Path path) {
        return Files.isRegularFile(path) && (path.toString().endsWith(".gguf") || begin(path).equals("GGUF"));
    }

    private static String begin(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw CheckpointJson.unreadable(file, e);
        }
    }
}
