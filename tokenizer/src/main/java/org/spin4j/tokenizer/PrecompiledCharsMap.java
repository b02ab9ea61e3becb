package org.spin4j.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The replacements that SentencePiece compiles into a model ({@code precompiled_charsmap}): a double-array trie over UTF-8 (Darts), whose
 * values are places in a block of strings that end in a zero byte. Applied as Hugging Face does: a grapheme cluster of less than six
 * bytes that begins with an entry becomes the shortest such entry's replacement, whole; else each of its characters does the same.
 */
final class PrecompiledCharsMap {
    private static final Pattern GRAPHEME = Pattern.compile("\\X");
    private static final int WHOLE_CLUSTER = 6;
    /** In Unicode's compatibility forms a character becomes 18 at most. */
    private static final int MAX_REPLACEMENT = 1024;

    /** Receives what is to be replaced, from left to right. */
    @FunctionalInterface
    interface Sink {
        void replace(int start, int end, String content);
    }

    private final int[] units;
    private final byte[] strings;

    private PrecompiledCharsMap(int[] units, byte[] strings) {
        this.units = units;
        this.strings = strings;
    }

    /** Reads the Base64 of a tokenizer.json. */
    static PrecompiledCharsMap parse(Json json) {
        ByteBuffer bytes;
        try {
            bytes = ByteBuffer.wrap(Base64.getDecoder().decode(json.string())).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IllegalArgumentException e) {
            throw json.expected("Base64");
        }
        int size = bytes.remaining() < 4 ? -1 : bytes.getInt();
        if (size < 4 || size % 4 != 0 || size > bytes.remaining()) {
            throw json.expected("the size of a trie and as many bytes");
        }
        int[] units = new int[size / 4];
        bytes.asIntBuffer().get(units);
        byte[] strings = Arrays.copyOfRange(bytes.array(), 4 + size, bytes.capacity());
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(strings));
        } catch (CharacterCodingException e) {
            throw json.expected("replacements in UTF-8");
        }
        return new PrecompiledCharsMap(units, strings);
    }

    /** Finds all that is to be replaced in a text. */
    void find(String text, Sink sink) {
        Matcher clusters = GRAPHEME.matcher(text);
        while (clusters.find()) {
            int start = clusters.start();
            int end = clusters.end();
            // No cluster of more chars has less bytes.
            String whole = end - start < WHOLE_CLUSTER ? replacement(text, start, end, WHOLE_CLUSTER - 1) : null;
            if (whole != null) {
                sink.replace(start, end, whole);
                continue;
            }
            int next;
            for (int i = start; i < end; i = next) {
                next = i + Character.charCount(text.codePointAt(i));
                String content = replacement(text, i, next, 4);
                if (content != null) {
                    sink.replace(i, next, content);
                }
            }
        }
    }

    /** What the shortest entry that {@code text[start, end)} begins with becomes; null without one, or with more bytes than that. */
    private String replacement(String text, int start, int end, int maxBytes) {
        byte[] bytes = text.substring(start, end).getBytes(StandardCharsets.UTF_8);
        if (bytes.length > maxBytes) {
            return null;
        }
        int node = offset(units[0]);
        for (byte b : bytes) {
            node ^= b & 0xFF;
            if (b == 0 || node < 0 || node >= units.length || label(units[node]) != (b & 0xFF)) {
                return null;
            }
            boolean ends = (units[node] >>> 8 & 1) == 1;
            node ^= offset(units[node]);
            if (ends && node >= 0 && node < units.length) {
                return string(units[node] & Integer.MAX_VALUE);
            }
        }
        return null;
    }

    /** Units that hold a value have the top bit set, and match no byte. */
    private static int label(int unit) {
        return unit & (1 << 31 | 0xFF);
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >>> 6);
    }

    private String string(int start) {
        int end = start;
        while (end < strings.length && strings[end] != 0) {
            end++;
        }
        if (start > strings.length || end - start > MAX_REPLACEMENT) {
            throw new TokenizerException("expected replacements of at most " + MAX_REPLACEMENT
                    + " bytes in the precompiled_charsmap of the tokenizer, found one from " + start + " to " + end
                    + " of " + strings.length + "; the file is damaged");
        }
        return new String(strings, start, end - start, StandardCharsets.UTF_8);
    }
}
