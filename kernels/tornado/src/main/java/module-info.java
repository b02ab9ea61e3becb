module org.spin4j.kernels.tornado {
    requires org.spin4j.kernels;
    requires tornado.api;
}
