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
            String seen = spelled ? ByteAlphabet.spell(text.text(), i, next) : text.text().substring(i, next);
            for (int bytes = BpeSpans.utf8Length(seen, 0, seen.length()); bytes > 0; bytes--) {
                starts.add(text.start(i));
                ends.add(text.end(i));
            }
            i = next;
        }
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
