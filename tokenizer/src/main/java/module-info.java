module org.spin4j.tokenizer {
    requires com.fasterxml.jackson.databind;
    requires jinjava;

    exports org.spin4j.tokenizer;
}
