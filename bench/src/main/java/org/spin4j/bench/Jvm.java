package org.spin4j.bench;

/** The options that every benchmarked JVM runs with, as JMH's {@code @Fork} wants them: one constant each. */
final class Jvm {
    static final String VECTOR_API = "--add-modules=jdk.incubator.vector";
    static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";
    static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";
    static final String HEAP = "-Xmx1g";

    private Jvm() {}
}
