package org.spin4j.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A file of tiktoken: on each line a token in Base64 and its rank, which is its id. Neither the expression that cuts words nor the special
 * tokens stand in it: a published one is known by how many ranks it has, of another {@code pat_str} in the tokenizer_config.json beside it
 * gives the expression, and {@code added_tokens_decoder} the tokens.
 */
final class TiktokenFile {
    private static final Pattern LINE = Pattern.compile("[A-Za-z0-9+/]+={0,2} [0-9]{1,7}");
    private static final int MAX_TOKEN = 256;
    private static final Set<String> CLASSES = Set.of("TikTokenTokenizer", "PreTrainedTokenizer", "TokenizersBackend",
            "QWenTokenizer", "GPT2Tokenizer");

    /** As tiktoken spells it since 2024, where white space at the end of a text is one word; without possessive quantifiers. */
    private static final String CL100K = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+\\z|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";
    private static final String END_OF_TEXT = "<|endoftext|>";

    /**
     * A published vocabulary.
     *
     * @param ranks how many lines its file has
     * @param regex cuts words; null for GPT-2's
     * @param bos goes before each text; null for none
     * @param nfc text is normalised first
     */
    private record Family(String name, int ranks, String regex, Map<String, Integer> special, String bos, String eos,
            boolean nfc) {}

    private static final List<Family> FAMILIES = List.of(
            new Family("r50k_base", 50256, null, Map.of(END_OF_TEXT, 50256), null, END_OF_TEXT, false),
            new Family("p50k_base", 50280, null, Map.of(END_OF_TEXT, 50256), null, END_OF_TEXT, false),
            new Family("cl100k_base", 100256, CL100K,
                    Map.of(END_OF_TEXT, 100257, "<|fim_prefix|>", 100258, "<|fim_middle|>", 100259, "<|fim_suffix|>",
                            100260, "<|endofprompt|>", 100276),
                    null, END_OF_TEXT, false),
            new Family("o200k_base", 199998, WordPattern.O200K.regex(),
                    Map.of(END_OF_TEXT, 199999, "<|endofprompt|>", 200018), null,
                    END_OF_TEXT, false),
            new Family("Llama 3", 128000, WordPattern.LLAMA3.regex(), llama3(), "<|begin_of_text|>",
                    "<|end_of_text|>", false),
            new Family("Qwen", 151643, WordPattern.QWEN2.regex(),
                    numbered(Map.of(END_OF_TEXT, 151643, "<|im_start|>", 151644, "<|im_end|>", 151645), "<|extra_", 0,
                            205, 151646),
                    null, END_OF_TEXT, true));

    private TiktokenFile() {}

    private static Map<String, Integer> llama3() {
        Map<String, Integer> tokens = numbered(
                Map.of("<|begin_of_text|>", 128000, "<|end_of_text|>", 128001, "<|start_header_id|>", 128006,
                        "<|end_header_id|>", 128007, "<|eot_id|>", 128009),
                "<|reserved_special_token_", 0, 4, 128002);
        tokens.put("<|reserved_special_token_4|>", 128008);
        return numbered(tokens, "<|reserved_special_token_", 5, 251, 128010);
    }

    private static Map<String, Integer> numbered(Map<String, Integer> named, String prefix, int from, int to,
            int firstId) {
        Map<String, Integer> tokens = new TreeMap<>(named);
        for (int i = from; i < to; i++) {
            tokens.put(prefix + i + "|>", firstId + i - from);
        }
        return tokens;
    }

    /** Whether a file begins as one of these does. */
    static boolean is(byte[] bytes) {
        int end = 0;
        while (end < Math.min(bytes.length, 4 * MAX_TOKEN) && bytes[end] != '\n' && bytes[end] != '\r') {
            end++;
        }
        return LINE.matcher(new String(bytes, 0, end, StandardCharsets.ISO_8859_1)).matches();
    }

    static TokenizerJson read(byte[] bytes, String file, Companions companions) {
        companions.tokenizerClass(CLASSES, "TikTokenTokenizer");
        Map<String, Integer> ranks = ranks(new String(bytes, StandardCharsets.ISO_8859_1), file);
        TokenizerJson json = new TokenizerJson();
        List<String> learned = new ArrayList<>(ranks.keySet());
        learned.sort(Comparator.comparing(ranks::get));
        TokenizerJson.impliedMerges(json.bpe(ranks, null, false, true), ranks, learned, file);
        Optional<Json> pattern = companions.settings().flatMap(config -> config.find("pat_str"));
        Optional<Family> known = FAMILIES.stream().filter(f -> f.ranks == ranks.size()).findFirst();
        if (pattern.isEmpty() && known.isEmpty()) {
            throw new TokenizerException("expected the ranks of " + names()
                    + ", or a pat_str in tokenizer_config.json, "
                    + "found " + ranks.size() + " ranks in " + file + "; name the expression that cuts words there");
        }
        if (pattern.isPresent()) {
            json.byteLevel(pattern.get().string(), false);
        } else {
            Family family = known.get();
            json.byteLevel(family.regex, false);
            if (family.nfc) {
                json.normalizer(List.of(TokenizerJson.part("NFC")));
            }
            if (companions.settings().flatMap(config -> config.find("added_tokens_decoder")).isEmpty()) {
                family.special.forEach((token, id) -> json.addSpecial(id, token));
            }
            json.roles(family.bos, family.eos, null);
        }
        companions.addTokens(json);
        companions.around(json, pattern.isEmpty() && known.get().bos != null, false);
        return json;
    }

    private static String names() {
        return String.join(", ", FAMILIES.stream().map(f -> f.name + " (" + f.ranks + ")").toList());
    }

    private static Map<String, Integer> ranks(String text, String file) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        BitSet taken = new BitSet();
        int number = 0;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            number++;
            if (line.isEmpty()) {
                continue;
            }
            int space = line.indexOf(' ');
            if (!LINE.matcher(line).matches() || space > 4 * MAX_TOKEN) {
                throw bad("a token of at most " + MAX_TOKEN + " bytes in Base64 and its rank", line, file, number);
            }
            byte[] token;
            try {
                token = Base64.getDecoder().decode(line.substring(0, space));
            } catch (IllegalArgumentException e) {
                throw bad("Base64", line, file, number);
            }
            int rank = Integer.parseInt(line.substring(space + 1));
            if (token.length == 0 || token.length > MAX_TOKEN || rank >= Model.MAX_ID || taken.get(rank)) {
                throw bad("a token of 1 to " + MAX_TOKEN + " bytes and a rank below " + Model.MAX_ID
                        + " that no other has", line, file, number);
            }
            taken.set(rank);
            if (ranks.putIfAbsent(ByteAlphabet.spell(token), rank) != null) {
                throw bad("a token that is listed once", line, file, number);
            }
        }
        for (int b = 0; b < 256; b++) {
            if (!ranks.containsKey(ByteAlphabet.spell(new byte[]{(byte) b}))) {
                throw new TokenizerException("expected a rank for each byte, found none for " + b + " in " + file
                        + "; the file is cut short");
            }
        }
        return Collections.unmodifiableMap(ranks);
    }

    private static TokenizerException bad(String expected, String line, String file, int number) {
        String found = line.length() <= 60 ? line : line.substring(0, 60) + "…";
        return new TokenizerException("expected " + expected + ", found \"" + found + "\" in " + file + ":" + number
                + "; the file is damaged");
    }
}
