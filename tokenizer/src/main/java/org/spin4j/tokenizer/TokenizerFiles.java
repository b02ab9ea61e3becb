package org.spin4j.tokenizer;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A tokenizer as its files give it, whatever their format.
 *
 * @param json the tokenizer.json, read or made of another format
 * @param name what messages call it
 * @param config the tokenizer_config.json, or what the format itself says of tokens in special roles
 */
record TokenizerFiles(byte[] json, String name, Optional<Json> config) {
    private static final String JSON = "tokenizer.json";
    private static final String SENTENCE_PIECE = "tokenizer.model";
    /** Mistral numbers its versions. */
    private static final Pattern SENTENCE_PIECE_NAME = Pattern.compile("\\.(model|spm)(\\.v[0-9]+)?$");
    private static final String VOCAB = "vocab.json";
    private static final String MERGES = "merges.txt";
    private static final String TIKTOKEN = "*.tiktoken";
    private static final String LLAMA2C = "tok*.bin";

    /** Reads a file of any known format, or what lies in a folder. */
    static TokenizerFiles read(Path fileOrDir) {
        Path file = !Files.isDirectory(fileOrDir)
                ? fileOrDir
                : find(fileOrDir).orElseThrow(() -> new TokenizerException("expected a tokenizer (" + JSON + ", "
                        + SENTENCE_PIECE + ", " + VOCAB + " with " + MERGES + ", " + TIKTOKEN + " or " + LLAMA2C
                        + "), found none in " + fileOrDir + "; check the path"));
        String name = file.toString();
        Companions companions = Companions.of(file.toAbsolutePath().getParent());
        if (endsWith(file, VOCAB) || endsWith(file, MERGES)) {
            return made(VocabMergesFiles.read(file.resolveSibling(VOCAB), file.resolveSibling(MERGES), companions),
                    file.resolveSibling(VOCAB) + " and " + MERGES, companions);
        }
        byte[] bytes = Json.readFile(file);
        // Most begin with a brace, as Base64 does not.
        if (bytes.length > 0 && bytes[0] != '{' && TiktokenFile.is(bytes)) {
            return made(TiktokenFile.read(bytes, name, companions), name, companions);
        }
        if (SENTENCE_PIECE_NAME.matcher(name).find()) {
            return made(SentencePieceFile.read(bytes, name, companions), name, companions);
        }
        if (name.endsWith(".tiktoken")) {
            throw new TokenizerException(
                    "expected a token in Base64 and its rank on each line, found something else in "
                            + name + ":1; the file is damaged or of another format");
        }
        if (name.endsWith(".bin")) {
            return made(Llama2cFile.read(bytes, name, companions), name, companions);
        }
        return new TokenizerFiles(bytes, name, companions.settings());
    }

    private static TokenizerFiles made(TokenizerJson json, String name, Companions companions) {
        return new TokenizerFiles(json.bytes(), name,
                companions.settings().or(() -> Optional.of(json.roles(name))));
    }

    private static boolean endsWith(Path file, String name) {
        return file.getFileName() != null && file.getFileName().toString().equals(name);
    }

    /** The file in a folder that {@link #read} would take. */
    static Optional<Path> find(Path dir) {
        for (String name : List.of(JSON, SENTENCE_PIECE)) {
            if (Files.exists(dir.resolve(name))) {
                return Optional.of(dir.resolve(name));
            }
        }
        if (Files.exists(dir.resolve(VOCAB)) && Files.exists(dir.resolve(MERGES))) {
            return Optional.of(dir.resolve(VOCAB));
        }
        for (String pattern : List.of(TIKTOKEN, LLAMA2C)) {
            List<Path> found = list(dir, pattern);
            if (found.size() > 1) {
                throw new TokenizerException("expected one tokenizer, found " + found.get(0).getFileName() + " and "
                        + found.get(1).getFileName() + " in " + dir + "; name the file");
            }
            if (found.size() == 1) {
                return Optional.of(found.getFirst());
            }
        }
        return Optional.empty();
    }

    private static List<Path> list(Path dir, String pattern) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, pattern)) {
            files.forEach(found::add);
        } catch (IOException e) {
            throw new TokenizerException("expected a readable folder, found " + e.getClass().getSimpleName() + " ("
                    + e.getMessage() + ") at " + dir + "; check the path and its permissions", e);
        }
        found.sort(null);
        return found;
    }
}
