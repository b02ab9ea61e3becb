package org.spin4j.training;

/** Placeholder. */
final class Placeholder {}
