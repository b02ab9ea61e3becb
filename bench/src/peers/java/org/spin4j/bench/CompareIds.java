package org.spin4j.bench;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import org.spin4j.tokenizer.EncodeOptions;
import org.spin4j.tokenizer.Tokenizer;

/**
 * Token ids of spin4j and of Hugging Face's tokenizers, text by text: {@code [--data FOLDER] [--random N] [TOKENIZER …]}. Exits with 1 where
 * one id differs, or one decoded text.
 */
public final class CompareIds {
    private static final int SHOWN = 5;
    private static final int EXCERPT = 60;

    private final Tokenizer ours;
    private final HuggingFace theirs;
    private final LongAdder bytes = new LongAdder();
    private final LongAdder tokens = new LongAdder();
    private final LongAdder otherIds = new LongAdder();
    private final LongAdder otherTexts = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final ConcurrentLinkedQueue<String> examples = new ConcurrentLinkedQueue<>();

    private CompareIds(Tokenizer ours, HuggingFace theirs) {
        this.ours = ours;
        this.theirs = theirs;
    }

    /** Prints the table in Markdown. */
    public static void main(String[] args) {
        try {
            System.exit(run(IdsArguments.parse(args), System.out) ? 0 : 1);
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage());
            System.exit(2);
        }
    }

    private static boolean run(IdsArguments arguments, PrintStream out) {
        out.println("Ids of spin4j and of " + HuggingFace.describe() + ", with special tokens added; texts decoded from them."
                + " Not given back: texts that a tokenizer changes by design, in both alike, such as one that composes"
                + " characters.");
        out.println();
        out.println("| tokenizer | texts | number | MB | tokens | **differing ids** | **differing decoded texts**"
                + " | not given back |");
        out.println("|---|---|---:|---:|---:|---:|---:|---:|");
        List<String> data = arguments.data().map(Texts::in).orElse(List.of());
        List<String> random = Texts.random(arguments.random(), 1);
        List<String> points = Texts.codePoints();
        boolean equal = true;
        for (Path path : arguments.tokenizers()) {
            Tokenizer tokenizer = Tokenizer.load(path);
            try (HuggingFace peer = new HuggingFace(path)) {
                equal &= new CompareIds(tokenizer, peer).row(path, "data sets", data, out);
                equal &= new CompareIds(tokenizer, peer).row(path, "random", random, out);
                equal &= new CompareIds(tokenizer, peer).row(path, "code points", points, out);
            }
        }
        return equal;
    }

    private boolean row(Path path, String kind, List<String> texts, PrintStream out) {
        texts.parallelStream().forEach(this::compare);
        out.printf(Locale.ROOT, "| %s | %s | %d | %.1f | %d | **%d** | **%d** | %d |%n", path.getFileName(), kind,
                texts.size(), bytes.sum() / 1e6, tokens.sum(), otherIds.sum(), otherTexts.sum(), lost.sum());
        examples.forEach(System.err::println);
        return otherIds.sum() + otherTexts.sum() == 0;
    }

    private void compare(String text) {
        long[] expected = theirs.encode(text, true);
        int[] found = ours.encode(text);
        bytes.add(text.getBytes(StandardCharsets.UTF_8).length);
        tokens.add(found.length);
        if (!Arrays.equals(expected, Arrays.stream(found).asLongStream().toArray())) {
            otherIds.increment();
            example("ids", text, Arrays.toString(expected), Arrays.toString(found));
        }
        int[] plain = ours.encode(text, EncodeOptions.TEMPLATED);
        String back = ours.decode(plain, false);
        String theirBack = theirs.decode(Arrays.stream(plain).asLongStream().toArray());
        if (!back.equals(theirBack)) {
            otherTexts.increment();
            example("text", text, quoted(theirBack), quoted(back));
        }
        if (!back.equals(text)) {
            lost.increment();
        }
    }

    private void example(String what, String text, String expected, String found) {
        if (examples.size() < SHOWN) {
            examples.add("differing " + what + " of " + quoted(text) + ": expected " + cut(expected) + ", found "
                    + cut(found));
        }
    }

    private static String cut(String text) {
        return text.length() <= 4 * EXCERPT ? text : text.substring(0, 4 * EXCERPT) + "…";
    }

    /** The beginning of a text, with its characters outside ASCII spelled out. */
    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().limit(EXCERPT).forEach(c -> {
            if (c >= ' ' && c < 0x7F) {
                out.append((char) c);
            } else {
                out.append(String.format("\\u{%X}", c));
            }
        });
        return out.append(text.length() > EXCERPT ? "…" : "").append('"').toString();
    }
}
