module org.spin4j.engine {
    requires transitive org.spin4j.kernels;
    requires com.fasterxml.jackson.databind;

    exports org.spin4j.engine;
}
