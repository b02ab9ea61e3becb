/** Text to token ids and back, and chat templates. */
module org.spin4j.tokenizer {
    // Messages are JSON objects.
    requires transitive com.fasterxml.jackson.databind;

    exports org.spin4j.tokenizer;
}
