module org.spin4j.kernels {
    requires static jdk.incubator.vector;

    exports org.spin4j.kernels;

    uses org.spin4j.kernels.BackendProvider;
}
