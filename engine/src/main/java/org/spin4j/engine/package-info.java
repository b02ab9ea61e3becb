/**
 * Tensors, the tape, the decoder, checkpoints and generation. This room speaks of token ids only: it knows no text, no data
 * files and no training method. Each op stands in one file, forward and backward, with its formula.
 */
package org.spin4j.engine;
