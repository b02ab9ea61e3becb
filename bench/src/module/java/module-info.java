module org.spin4j.bench {
    requires org.spin4j.engine;
    requires java.management;
    requires jdk.management;
    requires jmh.core;
    requires static jdk.incubator.vector;

    exports org.spin4j.bench;
}
