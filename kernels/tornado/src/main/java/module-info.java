module org.spin4j.kernels.tornado {
    requires org.spin4j.kernels;
    requires tornado.api;

    provides org.spin4j.kernels.BackendProvider with
            org.spin4j.kernels.tornado.TornadoBackend;
}
