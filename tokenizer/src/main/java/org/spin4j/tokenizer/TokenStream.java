package org.spin4j.tokenizer;

import java.util.HexFormat;
import java.util.List;

/**
 * Decodes ids one by one as a model makes them. Text comes out as soon as it is certain: half a character, or a byte that a later byte may
 * still make invalid, is held back. All that {@link #accept} and {@link #finish} return, joined, equals {@link Tokenizer#decode} of all ids.
 * Used by one thread.
 */
public final class TokenStream {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final StringBuilder out = new StringBuilder();
    private final Stage first;

    TokenStream(Tokenizer tokenizer, Decoder decoder, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        List<Decoder> steps = decoder instanceof Decoder.Sequence(List<Decoder> parts) ? parts : List.of(decoder);
        Stage stage = new Output(out);
        int fuse = steps.indexOf(new Decoder.Fuse());
        for (int i = steps.size() - 1; i >= 0; i--) {
            Stage next = stage;
            boolean fused = fuse >= 0 && i > fuse || steps.subList(0, i).contains(new Decoder.ByteLevel());
            stage = switch (steps.get(i)) {
                case Decoder.None() -> new Joining(next);
                case Decoder.ByteLevel() -> new ByteLevel(next);
                case Decoder.Replace(String pattern, String content) -> new Replacing(pattern, content, next);
                case Decoder.ByteFallback() -> new ByteFallback(next);
                case Decoder.Fuse() -> next;
                case Decoder.Strip(char content, int start, int stop) -> fused
                        ? new StripText(content, start, stop, next)
                        : new StripToken(content, start, stop, next);
                case Decoder.Sequence(List<Decoder> parts) ->
                    throw new IllegalStateException("sequences do not nest: " + parts);
            };
        }
        first = stage;
    }

    /** The text that this id makes certain, often empty; an id that names no token adds nothing, as in Hugging Face. */
    public String accept(int id) {
        if (tokenizer.isToken(id) && !(skipSpecial && tokenizer.isSpecial(id))) {
            first.accept(tokenizer.token(id));
        }
        return drain();
    }

    /** The text held back; after it the stream must not be used. */
    public String finish() {
        first.end();
        return drain();
    }

    private String drain() {
        if (out.isEmpty()) {
            return "";
        }
        String text = out.toString();
        out.setLength(0);
        return text;
    }

    /** One step of decoding. */
    private sealed interface Stage {
        void accept(String token);

        void end();
    }

    private record Output(StringBuilder out) implements Stage {
        @Override
        public void accept(String token) {
            out.append(token);
        }

        @Override
        public void end() {
            // Nothing is held back here.
        }
    }

    private static final class Joining implements Stage {
        private final Stage next;
        private boolean begun;

        Joining(Stage next) {
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

    private record Replacing(String pattern, String content, Stage next) implements Stage {
        @Override
        public void accept(String token) {
            String replaced = token.replace(pattern, content);
            Normalizer.checkGrowth(token, replaced);
            next.accept(replaced);
        }

        @Override
        public void end() {
            next.end();
        }
    }

    private static final class ByteLevel implements Stage {
        private final Stage next;
        private final Utf8Stream utf8 = new Utf8Stream();
        private final StringBuilder text = new StringBuilder();

        ByteLevel(Stage next) {
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

    private static final class ByteFallback implements Stage {
        private final Stage next;
        private final StringBuilder text = new StringBuilder();
        private Utf8Stream utf8 = new Utf8Stream();
        private int bytes;

        ByteFallback(Stage next) {
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
            next.accept(utf8.replacements() == 0 ? text.toString() : "\uFFFD".repeat(bytes));
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

    private record StripToken(char content, int start, int stop, Stage next) implements Stage {
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

    private static final class StripText implements Stage {
        private final char content;
        private final int stop;
        private final Stage next;
        private int leading;
        /** How many of {@link #content} are held back, because the text may end with them. */
        private int held;

        StripText(char content, int start, int stop, Stage next) {
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
