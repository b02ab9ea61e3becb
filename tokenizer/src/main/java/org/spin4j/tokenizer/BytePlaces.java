package org.spin4j.tokenizer;

/** Where in the original each byte of a piece stands, as the model counts bytes. */
final class BytePlaces {
    private final Ints starts = new Ints();
    private final Ints ends = new Ints();

    /**
     * Lists the bytes of {@code text[start, end)}.
     *
     * @param spelled the model sees each byte as its character of the byte alphabet, which is one or two bytes itself
     */
    BytePlaces(NormalizedText text, int start, int end, boolean spelled) {
        for (int i = start; i < end;) {
            int next = i + Character.charCount(text.text().codePointAt(i));
            for (int bytes = spelled
                    ? spelledLength(text.text(), i, next)
                    : BpeSpans.utf8Length(text.text(), i, next); bytes > 0; bytes--) {
                starts.add(text.start(i));
                ends.add(text.end(i));
            }
            i = next;
        }
    }

    private static int spelledLength(String text, int start, int end) {
        char c = text.charAt(start);
        if (c > ' ' && c < 0x7F) {
            return 1;
        }
        String spelled = ByteAlphabet.spell(text, start, end);
        return BpeSpans.utf8Length(spelled, 0, spelled.length());
    }

    /** Where the bytes of a span begin. One that the piece does not have counts as it is: so does Hugging Face. */
    int start(int from, int to) {
        return from < to && to <= starts.size() ? starts.get(from) : from;
    }

    /** Where the bytes of a span end. */
    int end(int from, int to) {
        return from < to && to <= ends.size() ? ends.get(to - 1) : to;
    }
}
