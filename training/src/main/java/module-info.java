module org.spin4j.training {
    requires org.spin4j.engine;
    requires org.spin4j.tokenizer;
    requires java.desktop;
    requires java.logging;
    requires java.management;
    requires java.net.http;
    requires jdk.management;
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.dataformat.yaml;
    requires info.picocli;
    requires me.tongfei.progressbar;
    requires org.jline.reader;
    requires org.jline.terminal;
    requires commons.math3;
    requires xchart;

    exports org.spin4j.training;
    exports org.spin4j.training.judge;
    exports org.spin4j.training.report;

    exports org.spin4j.training.cli;

    opens org.spin4j.training.cli to
            info.picocli;
    opens org.spin4j.training to
            info.picocli,
            com.fasterxml.jackson.databind;
}
