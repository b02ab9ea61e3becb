package org.spin4j.tokenizer;

/**
 * What {@link Tokenizer#encode(String, EncodeOptions)} does beside cutting text into tokens.
 *
 * @param addSpecialTokens run the file's post-processor, which puts tokens such as {@code <s>} around the text
 * @param parseSpecial read special tokens spelled out in the text as those tokens. Text of strangers is encoded with false, so that it
 *        cannot end its own turn; added tokens that are not special are recognised all the same, as in Hugging Face
 */
public record EncodeOptions(boolean addSpecialTokens, boolean parseSpecial) {
    /** Hugging Face's default: both. */
    public static final EncodeOptions DEFAULT = new EncodeOptions(true, true);
    /** For text that a chat template has already dressed: special tokens are read, none is added. */
    public static final EncodeOptions TEMPLATED = new EncodeOptions(false, true);
    /** Text as mere text: nothing is added, nothing in it is special. */
    public static final EncodeOptions PLAIN = new EncodeOptions(false, false);
}
