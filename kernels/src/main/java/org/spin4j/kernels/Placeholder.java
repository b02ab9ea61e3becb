package org.spin4j.kernels;

/** Placeholder. */
final class Placeholder {}
