package org.spin4j.engine;

/** Placeholder. */
final class Placeholder {}
