package org.spin4j.tokenizer;

/** Placeholder. */
final class Placeholder {}
