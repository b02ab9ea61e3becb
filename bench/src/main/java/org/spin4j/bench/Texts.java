package org.spin4j.bench;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** Texts to try tokenizers on: those of a folder of data sets, random ones, and every code point. No text has a lone surrogate. */
final class Texts {
    private static final JsonMapper JSON = new JsonMapper();
    /** First and one past the last code point of stretches that random texts draw from: scripts, marks, emoji, controls, spaces. */
    private static final int[][] STRETCHES = {{0, 0x20}, {0x20, 0x7F}, {0x80, 0x250}, {0x300, 0x370}, {0x370, 0x530},
            {0x590, 0x700}, {0x900, 0xE00}, {0xE00, 0xF00}, {0x1100, 0x1200}, {0x1AB0, 0x1B00}, {0x2000, 0x2070},
            {0x20D0, 0x2150}, {0x2460, 0x24FF}, {0x2580, 0x2600}, {0x3000, 0x3100}, {0x4E00, 0x5200}, {0xAC00, 0xB000},
            {0xE000, 0xE010}, {0xFB00, 0xFE00}, {0xFE00, 0xFE30}, {0xFF00, 0xFFF0}, {0x10300, 0x10400},
            {0x1D400, 0x1D800}, {0x1F1E6, 0x1F200}, {0x1F300, 0x1F700}, {0x20000, 0x20100}, {0xE0100, 0xE0110}};
    /** Pieces of text that mean something to some tokenizer. */
    private static final List<String> PIECES = List.of(" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "'s", "'S",
            "'\u017F", "'ll", "'LL", "'re", "'ve", "'d", "'t", "'", "\u2019s", "1", "12", "1234", "3.14", "the", " the",
            "The", "hello", " world", "ing", "aaaaaaaa", "()", "{}\n", "...", "----", "://", "<s>", "</s>", "<unk>",
            "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>",
            "<0x0A>", "[INST]", "\u2581", "\u2581the", "\u0120the", "\u00A0", "\u200B", "\u200D", "\uFEFF", "\uFFFD",
            "e\u0301", "\u00E9", "\u1100\u1161\u11A8", "\uD83D\uDC69\u200D\uD83D\uDE80", "\uD83C\uDDE9\uD83C\uDDEA");

    private Texts() {}

    /**
     * Every string in a file, or in the files of a folder and the folders below it: values of JSON and JSON lines, lines of all other files, and
     * these files whole.
     */
    static List<String> in(Path folder) {
        List<String> texts = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path file : walk.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
                try (InputStream in = name.endsWith(".gz")
                        ? new GZIPInputStream(Files.newInputStream(file))
                        : Files.newInputStream(file)) {
                    add(name.replaceAll("\\.gz$", ""), in.readAllBytes(), texts);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the texts of " + folder, e);
        }
        return texts;
    }

    private static void add(String name, byte[] bytes, List<String> texts) throws IOException {
        if (name.endsWith(".json") || name.endsWith(".jsonl")) {
            try (JsonParser parser = JSON.createParser(bytes)) {
                for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                    if (token == JsonToken.VALUE_STRING) {
                        texts.add(wellFormed(parser.getText()));
                    }
                }
            }
        } else {
            String whole = new String(bytes, StandardCharsets.UTF_8);
            texts.add(whole);
            whole.lines().forEach(texts::add);
        }
    }

    /** JSON can spell lone surrogates, which no other program would be given as such. */
    private static String wellFormed(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    /** Random texts of up to 80 characters or pieces, the same ones for the same seed. */
    static List<String> random(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<String> texts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            texts.add(random(random));
        }
        return texts;
    }

    private static String random(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(80);
        // Characters of one script meet each other, and now and then something else.
        int[] home = STRETCHES[random.nextInt(STRETCHES.length)];
        while (text.length() < length) {
            switch (random.nextInt(8)) {
                case 0 -> text.appendCodePoint(any(random, 0, 0x110000));
                case 1 -> {
                    int[] other = STRETCHES[random.nextInt(STRETCHES.length)];
                    text.appendCodePoint(any(random, other[0], other[1]));
                }
                case 2, 3 -> text.append(PIECES.get(random.nextInt(PIECES.size())));
                case 4 -> text.append((char) random.nextInt('a', 'z' + 1));
                default -> text.appendCodePoint(any(random, home[0], home[1]));
            }
        }
        return text.toString();
    }

    private static int any(SplittableRandom random, int from, int to) {
        int c = random.nextInt(from, to);
        return isSurrogate(c) ? 0xFFFD : c;
    }

    /** Every code point alone, and among letters, digits, spaces and itself, which shows what it counts as. */
    static List<String> codePoints() {
        List<String> texts = new ArrayList<>();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (!isSurrogate(c)) {
                String one = Character.toString(c);
                texts.add(one);
                texts.add("a" + one + "1 " + one + one + " '" + one + "\n" + one + ".");
            }
        }
        return texts;
    }

    private static boolean isSurrogate(int c) {
        return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }
}
