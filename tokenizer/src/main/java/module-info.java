/** Text to token ids and back, and chat templates. */
module org.spin4j.tokenizer {
    requires com.fasterxml.jackson.databind;
    requires jinjava;
    // The expression language of jinjava names java.beans in the signatures of its resolvers.
    requires java.desktop;

    exports org.spin4j.tokenizer;
}
