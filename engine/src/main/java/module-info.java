module org.spin4j.engine {
    requires transitive org.spin4j.kernels;
    requires com.fasterxml.jackson.databind;
    requires java.management;
    requires jdk.management;

    exports org.spin4j.engine;
}
