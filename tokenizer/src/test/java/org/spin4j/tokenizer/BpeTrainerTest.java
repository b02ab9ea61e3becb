package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
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
    void limitsAreThoseOfHuggingFace(@TempDir Path dir) {
        List<String> texts = Fixtures.strings(GOLDEN.get("texts"));
        for (JsonNode one : Fixtures.resource("trained_limits.json").get("cases")) {
            Tokenizer tokenizer = BpeTrainer.train(texts, new BpeTrainer.Config(one.get("vocab_size").intValue(), 2,
                    List.of("<|endoftext|>"), limit(one.get("max_token_length")), limit(one.get("limit_alphabet"))));
            assertThat(merges(tokenizer, dir)).as(one.toString()).isEqualTo(Fixtures.strings(one.get("merges")));
            assertThat(tokenizer.vocabSize()).isEqualTo(one.get("size").intValue());
        }
    }

    private static OptionalInt limit(JsonNode number) {
        return number.intValue() == 0 ? OptionalInt.empty() : OptionalInt.of(number.intValue());
    }

    private static List<String> merges(Tokenizer tokenizer, Path dir) {
        Path file = dir.resolve("tokenizer.json");
        tokenizer.save(file);
        return Fixtures.strings(Fixtures.json(file).get("model").get("merges"));
    }

    /** The merges of Hugging Face's tokenizers 0.23.2 on Shakespeare, line by line, all 256 bytes and one special token among 4096 tokens. */
    @Test
    void learnsTheMergesOfHuggingFaceFromShakespeare(@TempDir Path dir) throws Exception {
        Path file = SharedData.require("data/datasets/tinyshakespeare/input.txt");
        List<String> lines = Fixtures.read(file).lines().map(line -> line + "\n").toList();
        AtomicInteger heard = new AtomicInteger();
        Tokenizer tokenizer = BpeTrainer.train(lines, new BpeTrainer.Config(4096, 2, List.of("<|endoftext|>")),
                (tokens, count) -> assertThat(heard.getAndSet(tokens)).isLessThan(tokens));
        assertThat(heard).hasValue(4096);
        List<String> merges = merges(tokenizer, dir);
        assertThat(merges).hasSize(3839);
        byte[] hash = MessageDigest.getInstance("SHA-256")
                .digest(String.join("\n", merges).getBytes(StandardCharsets.UTF_8));
        assertThat(HexFormat.of().formatHex(hash))
                .isEqualTo("4e3f9d960fc8b2eb73950f8768275e3f1b9dbdd8fc05cfa95f4f91cefdef9a96");
    }

    @Test
    void textsOfManyBatchesAreCountedAsOne(@TempDir Path dir) {
        List<String> texts = Fixtures.strings(GOLDEN.get("texts"));
        String all = String.join("", texts);
        List<String> many = Collections.nCopies(350, all);
        BpeTrainer.Config config = new BpeTrainer.Config(400, 350, List.of());
        assertThat(merges(BpeTrainer.train(many, config), dir))
                .isEqualTo(merges(BpeTrainer.train(List.of(all), new BpeTrainer.Config(400, 1, List.of())), dir));
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
        assertThatThrownBy(() -> new BpeTrainer.Config(300, 0, List.of(), OptionalInt.of(0), OptionalInt.empty()))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("max_token_length");
        assertThatThrownBy(() -> new BpeTrainer.Config(300, 0, List.of(), OptionalInt.empty(), OptionalInt.of(0)))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("limit_alphabet");
        assertThatThrownBy(() -> BpeTrainer.train(List.of("abc"),
                new BpeTrainer.Config(3, 0, List.of("<eos>"), OptionalInt.empty(), OptionalInt.of(9))))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("expected a vocabulary of 4");
    }
}
