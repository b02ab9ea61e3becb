package org.spin4j.tokenizer;

import java.util.HexFormat;
import java.util.List;

/** One step of decoding: takes tokens one by one and passes text on as soon as it is certain. */
sealed interface DecoderStage {
    void accept(String token);

    void end();

    /** The steps of a decoder that write to {@code out}. */
    static DecoderStage of(List<Decoder> steps, StringBuilder out) {
        DecoderStage stage = new Output(out);
        for (int i = steps.size() - 1; i >= 0; i--) {
            stage = of(steps.get(i), steps.subList(0, i), stage);
        }
        return stage;
    }

    private static DecoderStage of(Decoder step, List<Decoder> before, DecoderStage next) {
        boolean fused = before.stream()
                .anyMatch(one -> one instanceof Decoder.Fuse || one instanceof Decoder.ByteLevel);
        return switch (step) {
            case Decoder.None() -> new Joining(next);
            case Decoder.ByteLevel() -> new ByteLevel(next);
            case Decoder.Replace(TextPattern.Literal(String literal), String content) when fused ->
                new ReplacingText(literal, content, next);
            case Decoder.Replace(TextPattern pattern, String content) -> new Replacing(pattern, content, next);
            case Decoder.ByteFallback() -> new ByteFallback(next);
            case Decoder.Fuse() -> next;
            case Decoder.Strip(char content, int start, int stop) -> fused
                    ? new StripText(content, start, stop, next)
                    : new StripToken(content, start, stop, next);
            case Decoder.Metaspace metaspace -> new Spacing(metaspace, fused, next);
            // Without cleaning up, it leaves the first token alone, and there is no other.
            case Decoder.WordPiece pieces -> fused ? next : new Pieces(pieces, next);
            case Decoder.WordEnd(String suffix) -> fused
                    ? new ReplacingText(suffix, "", next)
                    : new WordEnds(suffix, next);
            case Decoder.Ctc ctc -> new Speech(ctc, next);
            case Decoder.Sequence(List<Decoder> parts) ->
                throw new IllegalStateException("sequences do not nest: " + parts);
        };
    }

    /** The text that is certain. */
    record Output(StringBuilder out) implements DecoderStage {
        @Override
        public void accept(String token) {
            out.append(token);
        }

        @Override
        public void end() {
            // Nothing is held back here.
        }
    }

    /** {@link Decoder.None}. */
    final class Joining implements DecoderStage {
        private final DecoderStage next;
        private boolean begun;

        Joining(DecoderStage next) {
            this.next = next;
        }

        @Override
        public void accept(String token) {
            next.accept(begun ? " " + token : token);
            begun = true;
        }

        @Override
        public void end() {
            next.end();
        }
    }

    /** {@link Decoder.Replace}. */
    record Replacing(TextPattern pattern, String content, DecoderStage next) implements DecoderStage {
        @Override
        public void accept(String token) {
            NormalizedText text = NormalizedText.of(token, false);
            String replaced = text.replace(pattern.find(token, 0, token.length()), content).text();
            Normalizer.checkGrowth(token, replaced);
            next.accept(replaced);
        }

        @Override
        public void end() {
            next.end();
        }
    }

    /** {@link Decoder.Replace} of a literal in text that comes in parts. */
    final class ReplacingText implements DecoderStage {
        private final String literal;
        private final String content;
        private final DecoderStage next;
        private final StringBuilder text = new StringBuilder();

        ReplacingText(String literal, String content, DecoderStage next) {
            this.literal = literal;
            this.content = content;
            this.next = next;
        }

        @Override
        public void accept(String token) {
            text.append(token);
            int done = 0;
            for (int at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, done)) {
                next.accept(text.substring(done, at) + content);
                done = at + literal.length();
            }
            // What may be the beginning of the literal waits for what follows.
            int certain = Math.max(done, text.length() - literal.length() + 1);
            while (!literal.startsWith(text.substring(certain))) {
                certain++;
            }
            next.accept(text.substring(done, certain));
            text.delete(0, certain);
        }

        @Override
        public void end() {
            next.accept(text.toString());
            next.end();
        }
    }

    /** {@link Decoder.Metaspace}. */
    final class Spacing implements DecoderStage {
        private final Decoder.Metaspace spec;
        /** All tokens are one. */
        private final boolean fused;
        private final DecoderStage next;
        private boolean begun;

        Spacing(Decoder.Metaspace spec, boolean fused, DecoderStage next) {
            this.spec = spec;
            this.fused = fused;
            this.next = next;
        }

        @Override
        public void accept(String token) {
            next.accept(token.replace(spec.replacement(), spec.first() && !begun ? "" : " "));
            begun = !fused;
        }

        @Override
        public void end() {
            next.end();
        }
    }

    /** {@link Decoder.WordPiece}. */
    final class Pieces implements DecoderStage {
        private final Decoder.WordPiece spec;
        private final DecoderStage next;
        private boolean begun;

        Pieces(Decoder.WordPiece spec, DecoderStage next) {
            this.spec = spec;
            this.next = next;
        }

        @Override
        public void accept(String token) {
            String text = !begun
                    ? token
                    : token.startsWith(spec.prefix()) ? token.substring(spec.prefix().length()) : " " + token;
            next.accept(spec.cleanup() ? cleanup(text) : text);
            begun = true;
        }

        @Override
        public void end() {
            next.end();
        }

        /** English as it is written: no space before marks and contractions. */
        static String cleanup(String text) {
            return text.replace(" .", ".").replace(" ?", "?").replace(" !", "!").replace(" ,", ",")
                    .replace(" ' ", "'").replace(" n't", "n't").replace(" 'm", "'m").replace(" do not", " don't")
                    .replace(" 's", "'s").replace(" 've", "'ve").replace(" 're", "'re");
        }
    }

    /** {@link Decoder.WordEnd}. */
    final class WordEnds implements DecoderStage {
        private final String suffix;
        private final DecoderStage next;
        /** The last token so far: what follows decides what becomes of it. */
        private String held;

        WordEnds(String suffix, DecoderStage next) {
            this.suffix = suffix;
            this.next = next;
        }

        @Override
        public void accept(String token) {
            pass(" ");
            held = token;
        }

        @Override
        public void end() {
            pass("");
            next.end();
        }

        private void pass(String space) {
            if (held != null) {
                next.accept(held.replace(suffix, space));
            }
        }
    }

    /** {@link Decoder.Ctc}. */
    final class Speech implements DecoderStage {
        private final Decoder.Ctc spec;
        private final DecoderStage next;
        private String previous;

        Speech(Decoder.Ctc spec, DecoderStage next) {
            this.spec = spec;
            this.next = next;
        }

        @Override
        public void accept(String token) {
            if (token.equals(previous)) {
                return;
            }
            previous = token;
            String text = token.replace(spec.pad(), "");
            if (spec.cleanup()) {
                text = Pieces.cleanup(text).replace(spec.delimiter(), " ");
            }
            if (!text.isEmpty()) {
                next.accept(text);
            }
        }

        @Override
        public void end() {
            next.end();
        }
    }

    /** {@link Decoder.ByteLevel}. */
    final class ByteLevel implements DecoderStage {
        private final DecoderStage next;
        private final Utf8Stream utf8 = new Utf8Stream();
        private final StringBuilder text = new StringBuilder();

        ByteLevel(DecoderStage next) {
            this.next = next;
        }

        @Override
        public void accept(String token) {
            if (token.chars().allMatch(c -> ByteAlphabet.byteOf((char) c) >= 0)) {
                for (int i = 0; i < token.length(); i++) {
                    utf8.accept(ByteAlphabet.byteOf(token.charAt(i)), text);
                }
            } else {
                // An added token that is not spelled in the byte alphabet stands for itself.
                utf8.end(text);
                text.append(token);
            }
            pass();
        }

        @Override
        public void end() {
            utf8.end(text);
            pass();
            next.end();
        }

        private void pass() {
            if (!text.isEmpty()) {
                next.accept(text.toString());
                text.setLength(0);
            }
        }
    }

    /** {@link Decoder.ByteFallback}. */
    final class ByteFallback implements DecoderStage {
        private final DecoderStage next;
        private final StringBuilder text = new StringBuilder();
        private Utf8Stream utf8 = new Utf8Stream();
        private int bytes;

        ByteFallback(DecoderStage next) {
            this.next = next;
        }

        @Override
        public void accept(String token) {
            int b = byteOf(token);
            if (b >= 0) {
                // The whole run is text or is not, so none of it is certain before its end.
                utf8.accept(b, text);
                bytes++;
            } else {
                flush();
                next.accept(token);
            }
        }

        @Override
        public void end() {
            flush();
            next.end();
        }

        private void flush() {
            if (bytes == 0) {
                return;
            }
            utf8.end(text);
            if (utf8.replacements() == 0) {
                next.accept(text.toString());
            } else {
                for (int i = 0; i < bytes; i++) {
                    next.accept("\uFFFD");
                }
            }
            text.setLength(0);
            utf8 = new Utf8Stream();
            bytes = 0;
        }

        private static int byteOf(String token) {
            if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
                return -1;
            }
            return HexFormat.isHexDigit(token.charAt(3)) && HexFormat.isHexDigit(token.charAt(4))
                    ? HexFormat.fromHexDigits(token, 3, 5)
                    : -1;
        }
    }

    /** {@link Decoder.Strip}. */
    record StripToken(char content, int start, int stop, DecoderStage next) implements DecoderStage {
        @Override
        public void accept(String token) {
            int from = 0;
            while (from < start && from < token.length() && token.charAt(from) == content) {
                from++;
            }
            int to = token.length();
            while (to > from && token.length() - to < stop && token.charAt(to - 1) == content) {
                to--;
            }
            next.accept(token.substring(from, to));
        }

        @Override
        public void end() {
            next.end();
        }
    }

    /** {@link Decoder.Strip} of text that comes in parts. */
    final class StripText implements DecoderStage {
        private final char content;
        private final int stop;
        private final DecoderStage next;
        private int leading;
        /** How many of {@link #content} are held back, because the text may end with them. */
        private int held;

        StripText(char content, int start, int stop, DecoderStage next) {
            this.content = content;
            this.leading = start;
            this.stop = stop;
            this.next = next;
        }

        @Override
        public void accept(String token) {
            int from = 0;
            while (leading > 0 && from < token.length() && token.charAt(from) == content) {
                from++;
                leading--;
            }
            if (from == token.length()) {
                return;
            }
            leading = 0;
            String text = String.valueOf(content).repeat(held) + token.substring(from);
            int to = text.length();
            while (to > 0 && text.length() - to < stop && text.charAt(to - 1) == content) {
                to--;
            }
            held = text.length() - to;
            next.accept(text.substring(0, to));
        }

        @Override
        public void end() {
            next.end();
        }
    }
}
