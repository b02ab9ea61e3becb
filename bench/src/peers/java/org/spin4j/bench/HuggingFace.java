package org.spin4j.bench;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/**
 * Hugging Face's tokenizers through DJL's native interface. Its calls are made directly: DJL's own classes around them would fetch offsets,
 * masks and spellings that no one asks for here, and cut texts at 512 tokens.
 */
final class HuggingFace implements AutoCloseable {
    private static final TokenizersLibrary LIBRARY = library();

    private final long handle;

    /** Reads a tokenizer.json or the one in a folder. */
    HuggingFace(Path fileOrFolder) {
        Path file = Files.isDirectory(fileOrFolder) ? fileOrFolder.resolve("tokenizer.json") : fileOrFolder;
        try {
            handle = LIBRARY.createTokenizerFromString(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    private static TokenizersLibrary library() {
        LibUtils.checkStatus();
        return TokenizersLibrary.LIB;
    }

    /** What the header of a table calls it, with the versions of the library and of DJL. */
    static String describe() {
        Properties about = new Properties();
        try (InputStream in = TokenizersLibrary.class.getResourceAsStream("/native/lib/tokenizers.properties")) {
            about.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "Hugging Face tokenizers " + about.getProperty("version").replace("-", " through DJL ");
    }

    /** The ids of a text. */
    long[] encode(String text, boolean addSpecialTokens) {
        long encoding = LIBRARY.encode(handle, text, addSpecialTokens);
        try {
            return LIBRARY.getTokenIds(encoding);
        } finally {
            LIBRARY.deleteEncoding(encoding);
        }
    }

    /** The text of ids, special tokens included. */
    String decode(long[] ids) {
        return LIBRARY.decode(handle, ids, false);
    }

    @Override
    public void close() {
        LIBRARY.deleteTokenizer(handle);
    }
}
