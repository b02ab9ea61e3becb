package org.spin4j.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The 256 printable characters that stand for the 256 bytes in a byte-level vocabulary (Radford et al. 2019, GPT-2): a byte that prints
 * in Latin-1 is itself, the others are 256, 257, … in order.
 */
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final short[] BYTES = new short[512];

    static {
        Arrays.fill(BYTES, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean prints = b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD;
            CHARS[b] = (char) (prints ? b : next++);
            BYTES[CHARS[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    /** The byte that a character stands for, or -1. */
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }

    /** The character that stands for a byte from 0 to 255. */
    static char charOf(int b) {
        return CHARS[b];
    }

    /** Each byte as its character. */
    static String spell(byte[] bytes) {
        StringBuilder out = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            out.append(CHARS[b & 0xFF]);
        }
        return out.toString();
    }

    /** The UTF-8 bytes of {@code text[start, end)}, each as its character. */
    static String spell(String text, int start, int end) {
        byte[] bytes = text.substring(start, end).getBytes(StandardCharsets.UTF_8);
        char[] out = new char[bytes.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = CHARS[bytes[i] & 0xFF];
        }
        return new String(out);
    }
}
