package org.spin4j.tokenizer;

/**
 * Decodes ids one by one as a model makes them. Text comes out as soon as it is certain: half a character, or a byte that a later byte may
 * still make invalid, is held back. All that {@link #accept} and {@link #finish} return, joined, equals {@link Tokenizer#decode} of all ids.
 * Used by one thread.
 */
public final class TokenStream {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final StringBuilder out = new StringBuilder();
    private final DecoderStage first;

    TokenStream(Tokenizer tokenizer, Decoder decoder, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        first = DecoderStage.of(decoder.steps(), out);
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
}
