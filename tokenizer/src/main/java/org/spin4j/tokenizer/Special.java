package org.spin4j.tokenizer;

import java.util.OptionalInt;

/**
 * The ids with a meaning for training and generation, as {@code tokenizer_config.json} names them.
 *
 * @param bos begins a text
 * @param eos ends a text; generation stops there
 * @param pad fills up a batch
 */
public record Special(OptionalInt bos, OptionalInt eos, OptionalInt pad) {}
