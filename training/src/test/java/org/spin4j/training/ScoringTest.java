package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Backends;

/** Scores of a real chat model on real chats, template and tokenizer included. */
class ScoringTest {
    @TempDir
    private Path dir;

    @Test
    void heldOutChats() {
        Path model = SharedData.require("data/models/tinystories-instruct-3m-chat-q4/hf");
        Path data = SharedData.require("data/datasets/soda_chat/eval.jsonl");
        try (Decoder decoder = Decoder.load(model)) {
            TextData text = TextData.open(ModelText.of(model), decoder.config(), Integer.MAX_VALUE,
                    Integer.MAX_VALUE);
            Scoring scoring = Scoring.of(decoder, Backends.choose("auto", 2), text, data, dir.resolve("out.jsonl"),
                    new Progress(true));

            // Transformers gives 1.8719 for the same rows.
            assertThat(scoring.natsPerToken()).isCloseTo(1.8719, within(0.002));
            assertThat(scoring).hasToString("1.8719 nats per response token over 1,495 tokens in 100 rows");
            assertThat(scoring.cuts()).isZero();
        }
    }
}
