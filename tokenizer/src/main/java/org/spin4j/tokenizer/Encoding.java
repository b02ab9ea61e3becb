package org.spin4j.tokenizer;

import java.util.List;

/**
 * A text, or two, as tokens, with where each comes from: what Hugging Face's {@code Encoding} tells. All arrays are as long as
 * {@code ids}.
 *
 * @param ids the tokens
 * @param typeIds which part of the input a token belongs to, as models like BERT want it
 * @param starts index of the first char of the token's text, in UTF-16 as {@link String#substring} takes it, in the text that
 *        {@code sequences} tells; 0 for a token that stands for none. Bytes of one character all have the whole character
 * @param ends index one past the last char of the token's text
 * @param sequences 0 for a token of the first text, 1 for one of the second, -1 for one that was put in
 * @param specialTokensMask 1 for tokens that were put in, around the texts or as padding
 * @param attentionMask 0 for padding
 * @param overflowing what a limit on the length cut off, in stretches of that length
 */
public record Encoding(int[] ids, int[] typeIds, int[] starts, int[] ends, int[] sequences, int[] specialTokensMask,
        int[] attentionMask, List<Encoding> overflowing) {
    public Encoding {
        overflowing = List.copyOf(overflowing);
    }
}
