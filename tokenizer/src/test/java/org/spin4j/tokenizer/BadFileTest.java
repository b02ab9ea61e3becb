package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that are damaged, hostile or ask for what is not supported: one line says so, and nothing else happens. */
class BadFileTest {
    private static final JsonNode GOOD = Fixtures.resourceLines("variants.jsonl").getFirst().get("tokenizer");

    /** Each row puts a value at a place of a good file and names what the message must speak of. */
    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {"/model/type ~ \"Morse\" ~ the model Morse",
            "/model/type ~ \"WordPiece\" ~ WordPiece after a ByteLevel",
            "/model/type ~ 7 ~ expected a string at model.type, found 7",
            "/model/dropout ~ 0.1 ~ dropout", "/model/continuing_subword_prefix ~ \"##\" ~ continuing_subword_prefix",
            "/model/unk_token ~ \"zzz\" ~ model.unk_token",
            "/model/vocab ~ [] ~ expected an object at model.vocab", "/model/vocab ~ {\"a\":-1} ~ found -1",
            "/model/vocab ~ {\"a\":1e9} ~ model.vocab.a",
            "/model/vocab ~ {\"a\":4194304} ~ model.vocab.a", "/model/vocab ~ {\"a\":2147483648} ~ model.vocab.a",
            "/model/vocab ~ {\"a\":1,\"b\":1} ~ no other token",
            "/model/vocab ~ {\"a\":\"0\"} ~ found \"0\"", "/model/vocab ~ {} ~ model",
            "/model/vocab ~ null ~ model.vocab", "/model/merges ~ {} ~ model.merges",
            "/model/merges ~ [\"a\"] ~ model.merges[0]", "/model/merges ~ [\"a b c\"] ~ model.merges[0]",
            "/model/merges ~ [\" a\"] ~ model.merges[0]",
            "/model/merges ~ [[\"\",\"a\"]] ~ model.merges[0]", "/model/merges ~ [[\"a\"]] ~ model.merges[0]",
            "/model/merges ~ [[\"a\",1]] ~ model.merges[0]",
            "/model/merges ~ [\"a zz\"] ~ model.merges[0]", "/model/merges ~ [\"q q\"] ~ model.merges[0]",
            "/model/byte_fallback ~ 1 ~ true or false",
            "/model/something ~ 1 ~ the key something", "/truncation ~ {\"max_length\":5} ~ truncation",
            "/padding ~ {} ~ padding", "/other ~ 1 ~ the key other",
            "/normalizer ~ {\"type\":\"Magic\"} ~ the normalizer Magic", "/normalizer ~ [] ~ normalizer",
            "/normalizer ~ {\"type\":\"NFC\",\"x\":1} ~ the key x",
            "/normalizer ~ {\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(a+)+b\"},\"content\":\"\"} ~ (a+)+b",
            "/normalizer ~ {\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"a\"} ~ not empty",
            "/pre_tokenizer ~ {\"type\":\"UnicodeScripts\"} ~ the pre-tokenizer UnicodeScripts",
            "/pre_tokenizer ~ {\"type\":\"Metaspace\"} ~ pre_tokenizer.replacement",
            "/pre_tokenizer ~ {\"type\":\"Metaspace\",\"replacement\":\"ab\"} ~ one character",
            "/pre_tokenizer ~ {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a*)*\"},\"behavior\":\"Isolated\",\"invert\":false} ~ (a*)*",
            "/pre_tokenizer ~ {\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Sideways\",\"invert\":false} ~ Isolated",
            "/pre_tokenizer ~ {\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":\"Digits\"}]} ~ pretokenizers[1].individual_digits",
            "/pre_tokenizer ~ {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?<n>a)\\\\k<n>\"},\"behavior\":\"Isolated\",\"invert\":false} ~ the group (?<n",
            "/pre_tokenizer ~ {\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\\\\X\"},\"behavior\":\"Isolated\",\"invert\":false} ~ \\X in the regular expression",
            "/pre_tokenizer ~ {\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a&&b]\"},\"behavior\":\"Isolated\",\"invert\":false} ~ && in a class",
            "/pre_tokenizer ~ {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i)stop\"},\"behavior\":\"Isolated\",\"invert\":false} ~ in another case",
            "/post_processor ~ {\"type\":\"Magic\"} ~ the post-processor Magic",
            "/post_processor ~ {\"type\":\"BertProcessing\",\"cls\":[\"a\",99999],\"sep\":[\"a\",0]} ~ found 99999",
            "/post_processor ~ {\"type\":\"TemplateProcessing\",\"single\":[],\"pair\":[],\"special_tokens\":{}} ~ sequence A",
            "/post_processor ~ {\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}}],\"special_tokens\":{}} ~ special_tokens.x",
            "/post_processor ~ {\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}}],\"special_tokens\":{\"x\":{\"ids\":[99999]}}} ~ found 99999",
            "/decoder ~ {\"type\":\"Magic\"} ~ the decoder Magic",
            "/decoder ~ {\"type\":\"Strip\",\"content\":\"ab\",\"start\":1,\"stop\":0} ~ one character",
            "/decoder ~ {\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":\"ByteFallback\"}]} ~ ByteFallback in this place",
            "/added_tokens ~ [{\"id\":0,\"content\":\"<x>\"}] ~ added_tokens[0].id",
            "/added_tokens ~ [{\"id\":900,\"content\":\"\"}] ~ not empty",
            "/added_tokens ~ [{\"id\":900,\"content\":\"x1\"},{\"id\":900,\"content\":\"x2\"}] ~ x1",
            "/added_tokens ~ [{\"id\":900,\"content\":\"x1\"},{\"id\":901,\"content\":\"x1\"}] ~ listed once",
            "/added_tokens ~ [5] ~ added_tokens[0]",
            "/added_tokens ~ [{\"content\":\"x1\"}] ~ added_tokens[0].id"})
    void badValuesAreNamed(String place, String value, String named) throws IOException {
        ObjectNode file = GOOD.deepCopy();
        int slash = place.lastIndexOf('/');
        ((ObjectNode) file.at(place.substring(0, slash))).set(place.substring(slash + 1),
                Json.Mapping.MAPPER.readTree(value));
        assertThatThrownBy(() -> Fixtures.tokenizer(file)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining(named)
                .hasMessageContaining("a fixture").message().startsWith("expected ").contains(", found ").contains("; ")
                .doesNotContain("\n");
    }

    @Test
    void aFileCutShortIsRefusedWhereverItIsCut() {
        byte[] whole = GOOD.toString().getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < whole.length; length += 37) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> Tokenizer.parse(part, "a fixture")).isInstanceOf(TokenizerException.class)
                    .message().doesNotContain("\n");
        }
    }

    /** Vocabulary and merges are set aside while the rest is read, whatever the text looks like. */
    @Test
    void aFileMayBeIndentedOrBeginWithAMarkOrBeUtf16() {
        int[] ids = Fixtures.tokenizer(GOOD).encode("the <a> word 12");
        for (byte[] bytes : List.of(GOOD.toPrettyString().getBytes(StandardCharsets.UTF_8),
                ("\ufeff" + GOOD).getBytes(StandardCharsets.UTF_8),
                GOOD.toString().getBytes(StandardCharsets.UTF_16))) {
            assertThat(Tokenizer.parse(bytes, "a fixture").encode("the <a> word 12")).isEqualTo(ids);
        }
    }

    /** A flipped byte gives another tokenizer or the error of this room; never anything else. */
    @Property(tries = 400)
    void aDamagedFileHasOneKindOfError(@ForAll @IntRange(min = 0, max = 1 << 20) int place, @ForAll byte value) {
        byte[] bytes = GOOD.toString().getBytes(StandardCharsets.UTF_8);
        bytes[place % bytes.length] = value;
        try {
            Tokenizer tokenizer = Tokenizer.parse(bytes, "a fixture");
            assertThat(tokenizer.decode(tokenizer.encode("the <a> word 12"), false)).isNotNull();
        } catch (TokenizerException e) {
            assertThat(e.getMessage()).startsWith("expected ").doesNotContain("\n");
        }
    }

    @Test
    void nestingAndRepetitionAreRefused(@TempDir Path dir) throws IOException {
        for (String text : List.of("[".repeat(100_000), "{\"a\":".repeat(100_000),
                "{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}}}", "", "null", "{} {}",
                "{\"normalizer\":" + "{\"type\":\"Sequence\",\"normalizers\":[".repeat(5000))) {
            Path file = Files.writeString(dir.resolve("tokenizer.json"), text);
            assertThatThrownBy(() -> Tokenizer.load(file)).isInstanceOf(TokenizerException.class)
                    .hasMessageContaining("tokenizer.json").message()
                    .doesNotContain("\n");
        }
        assertThatThrownBy(() -> Tokenizer.load(dir.resolve("absent"))).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("absent");
    }

    @Test
    void theConfigMustNameTokensThatExist(@TempDir Path dir) throws IOException {
        Files.writeString(dir.resolve("tokenizer.json"), GOOD.toString());
        Files.writeString(dir.resolve("tokenizer_config.json"), "{\"eos_token\": \"<none>\"}");
        assertThatThrownBy(() -> Tokenizer.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("eos_token").hasMessageContaining("<none>");
        Files.writeString(dir.resolve("tokenizer_config.json"),
                "{\"eos_token\": {\"content\": \"<a>\"}, \"pad_token\": null}");
        assertThat(Tokenizer.load(dir).eosId()).isEqualTo(Tokenizer.load(dir).id("<a>"));
        assertThatThrownBy(() -> Tokenizer.load(dir).withSpecial("zzz", null, null))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("zzz");
        assertThatThrownBy(() -> Tokenizer.load(dir).token(100_000)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("100000");
    }

    @Test
    void aNormalizerCannotFillTheMemory() {
        ObjectNode file = GOOD.deepCopy();
        ArrayNode parts = file.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        for (int i = 0; i < 100; i++) {
            parts.addObject().put("type", "Replace").put("content", "aaaaaaaaaa").putObject("pattern").put("String",
                    "a");
        }
        Tokenizer tokenizer = Fixtures.tokenizer(file);
        assertThat(tokenizer.encode("bcd")).hasSize(3);
        assertThatThrownBy(() -> tokenizer.encode("abc")).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("grown");
        ((ObjectNode) parts.get(0)).put("content", "a".repeat(1025));
        assertThatThrownBy(() -> Fixtures.tokenizer(file)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("1024");
    }

    /** A merge of tokens whose result is one of them would go on for ever; the vocabulary can hold none, as a result is longer than its parts. */
    @Test
    void aLongTextOfOneCharacterEnds() {
        Tokenizer tokenizer = Fixtures.tokenizer(GOOD);
        int[] ids = tokenizer.encode("a".repeat(200_000));
        assertThat(tokenizer.decode(ids, false)).hasSize(200_000);
    }
}
