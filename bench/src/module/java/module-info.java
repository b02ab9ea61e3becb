module org.spin4j.bench {
    requires org.spin4j.engine;
    requires org.spin4j.training;
    requires com.fasterxml.jackson.databind;
    requires java.management;
    requires jdk.management;
    requires jmh.core;
    requires static jdk.incubator.vector;

    exports org.spin4j.bench;
}
