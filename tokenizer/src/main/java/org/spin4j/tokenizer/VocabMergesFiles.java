package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** The two files of GPT-2, {@code vocab.json} (tokens and ids) and {@code merges.txt} (a pair on each line, in the order learned). */
final class VocabMergesFiles {
    private static final String QWEN2 = "Qwen2Tokenizer";
    private static final String GPT2 = "GPT2Tokenizer";
    private static final Set<String> CLASSES = Set.of(GPT2, "CodeGenTokenizer", QWEN2);
    private static final String END_OF_TEXT = "<|endoftext|>";

    private VocabMergesFiles() {}

    static TokenizerJson read(Path vocabFile, Path mergesFile, Companions companions) {
        String type = companions.tokenizerClass(CLASSES, GPT2);
        TokenizerJson json = new TokenizerJson();
        ObjectNode model = json.bpe(Model.vocab(Json.parse(Json.readFile(vocabFile), vocabFile.toString())), null,
                false, false);
        addMerges(model.putArray("merges"), mergesFile);
        if (type.equals(QWEN2)) {
            json.normalizer(List.of(TokenizerJson.part("NFC")));
            json.byteLevel(WordPattern.QWEN2.regex(), false);
        } else {
            json.byteLevel(null, companions.settings().map(config -> config.bool("add_prefix_space", false))
                    .orElse(false));
        }
        // The name of the token is written into the classes themselves.
        Integer end = json.id(END_OF_TEXT);
        if (end != null) {
            json.addSpecial(end, END_OF_TEXT);
            json.roles(type.equals(QWEN2) ? null : END_OF_TEXT, END_OF_TEXT, null);
        }
        companions.addTokens(json);
        companions.around(json, false, false);
        return json;
    }

    private static void addMerges(ArrayNode merges, Path file) {
        int number = 0;
        String text = new String(Json.readFile(file), StandardCharsets.UTF_8);
        for (String line : (Iterable<String>) text.lines()::iterator) {
            number++;
            if (line.isEmpty() || line.startsWith("#version")) {
                continue;
            }
            int space = line.indexOf(' ');
            if (space <= 0 || space == line.length() - 1 || line.indexOf(' ', space + 1) >= 0) {
                String found = line.length() <= 60 ? line : line.substring(0, 60) + "…";
                throw new TokenizerException("expected two tokens with a space between, found \"" + found + "\" in "
                        + file + ":" + number + "; the file is damaged");
            }
            merges.add(line);
        }
    }
}
