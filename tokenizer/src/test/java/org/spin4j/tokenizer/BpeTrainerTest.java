package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Merges and ids of Hugging Face's BpeTrainer on the same texts. */
class BpeTrainerTest {
    private static final JsonNode GOLDEN = Fixtures.resource("trained.json");

    @Test
    void learnsTheMergesOfHuggingFace(@TempDir Path dir) {
        List<String> texts = Fixtures.strings(GOLDEN.get("texts"));
        for (JsonNode one : GOLDEN.get("cases")) {
            List<String> special = Fixtures.strings(one.get("special_tokens"));
            Tokenizer tokenizer = BpeTrainer.train(texts, new BpeTrainer.Config(one.get("vocab_size").intValue(),
                    one.get("min_frequency").intValue(), special));
            Path file = dir.resolve("tokenizer.json");
            tokenizer.save(file);
            assertThat(Fixtures.strings(Fixtures.json(file).get("model").get("merges")))
                    .isEqualTo(Fixtures.strings(one.get("merges")));
            assertThat(tokenizer.vocabSize()).isEqualTo(one.get("size").intValue());
            assertThat(tokenizer.encode(GOLDEN.get("encoded").textValue())).isEqualTo(Fixtures.ints(one.get("ids")));
        }
    }

    @Test
    void savedAndLoadedItIsTheSame(@TempDir Path dir) {
        List<String> texts = Fixtures.strings(GOLDEN.get("texts"));
        Tokenizer trained = BpeTrainer.train(texts, new BpeTrainer.Config(400, 2, List.of("<|endoftext|>", "<pad>")))
                .withSpecial(null, "<|endoftext|>", "<pad>");
        trained.saveFolder(dir.resolve("model"), Optional.of(ChatTemplate.builtIn("chatml", Map.of())));
        Tokenizer loaded = Tokenizer.load(dir.resolve("model"));
        loaded.save(dir.resolve("again.json"));
        assertThat(dir.resolve("again.json")).hasSameBinaryContentAs(dir.resolve("model/tokenizer.json"));
        assertThat(loaded.special()).isEqualTo(trained.special());
        assertThat(loaded.eosId()).hasValue(0);
        assertThat(loaded.padId()).hasValue(1);
        assertThat(loaded.bosId()).isEmpty();
        assertThat(ChatTemplate.load(dir.resolve("model")).source())
                .isEqualTo(ChatTemplate.builtIn("chatml", Map.of()).source());
        for (String text : texts) {
            assertThat(loaded.encode(text)).isEqualTo(trained.encode(text));
        }
    }

    @Test
    void noTextsGiveTheBytes() {
        Tokenizer tokenizer = BpeTrainer.train(List.of(), new BpeTrainer.Config(300, 0, List.of("<eos>")));
        assertThat(tokenizer.vocabSize()).isEqualTo(257);
        assertThat(tokenizer.decode(tokenizer.encode("é<eos>"), true)).isEqualTo("é");
    }

    @Test
    void refusesWhatCannotBeLearned() {
        assertThatThrownBy(() -> new BpeTrainer.Config(256, 0, List.of("<eos>"))).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("expected a vocabulary of 257").hasMessageContaining("found 256");
        assertThatThrownBy(() -> new BpeTrainer.Config(300, -1, List.of())).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("min_frequency");
        assertThatThrownBy(() -> new BpeTrainer.Config(300, 0, List.of("a", "a")))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("special_tokens");
    }
}
