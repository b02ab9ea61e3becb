package org.spin4j.tokenizer;

/**
 * A token that is found in the text before anything else happens to it.
 *
 * @param id its id
 * @param content its spelling
 * @param singleWord only where no word character touches it
 * @param lstrip takes the white space before it along
 * @param rstrip takes the white space after it along
 * @param normalized is sought in the normalised text, not in the text as given
 * @param special is left out of decoded text on demand, and can be made unrecognisable in input
 */
record AddedToken(int id, String content, boolean singleWord, boolean lstrip, boolean rstrip, boolean normalized,
        boolean special) {}
