package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** What must hold for any text, with every part that a file may name. */
class EncodingPropertyTest {
    private static final List<Tokenizer> TOKENIZERS = tokenizers();

    private static List<Tokenizer> tokenizers() {
        Map<String, JsonNode> models = new HashMap<>();
        List<Tokenizer> all = new ArrayList<>();
        for (JsonNode line : Fixtures.resourceLines("parts.jsonl")) {
            if (line.has("id")) {
                models.put(line.get("id").textValue(), line.get("model"));
            } else {
                ObjectNode json = line.get("parts").deepCopy();
                json.set("model", models.get(line.get("model").textValue()));
                json.remove("truncation");
                all.add(Fixtures.tokenizer(json));
            }
        }
        return all;
    }

    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> parts = Arbitraries.frequencyOf(
                Tuple.of(6, Arbitraries.of(" ", "  ", "\n", "the", "Day", "<tok>", "[MASK]", "foo_bar", "ab", "12",
                        "don't", "É", "e\u0301", "\u2581", "\u3000", "日本", "😀", "\u1E9E", "\u0130", "\u8D0A",
                        "\u0301\u0323", "\uD834\uDD5E", "\uFB01", ".", "!")),
                Tuple.of(1, Arbitraries.chars().all().map(String::valueOf)));
        return parts.list().ofMaxSize(20).map(list -> String.join("", list));
    }

    @Property(tries = 800)
    void anEncodingHasTheIdsOfTheTextAndPlacesInIt(@ForAll("texts") String text,
            @ForAll @IntRange(min = 0, max = 149) int which, @ForAll boolean special, @ForAll boolean parse) {
        Tokenizer tokenizer = TOKENIZERS.get(which);
        EncodeOptions options = new EncodeOptions(special, parse);
        int[] ids = tokenizer.encode(text, options);
        Encoding encoding = tokenizer.encoding(text, options);
        assertThat(encoding.ids()).isEqualTo(ids);
        for (int i = 0; i < ids.length; i++) {
            assertThat(encoding.starts()[i]).isBetween(0, encoding.ends()[i]);
            assertThat(encoding.ends()[i]).isLessThanOrEqualTo(text.length());
            assertThat(encoding.specialTokensMask()[i]).isEqualTo(encoding.sequences()[i] < 0 ? 1 : 0);
        }
        assertThat(encoding.overflowing()).isEmpty();
    }

    @Property(tries = 500)
    void streamedIsDecodedAtOnce(@ForAll List<@IntRange(min = -1, max = 420) Integer> ids,
            @ForAll @IntRange(min = 0, max = 149) int which, @ForAll boolean skipSpecial) {
        Tokenizer tokenizer = TOKENIZERS.get(which);
        int[] array = ids.stream().mapToInt(Integer::intValue).toArray();
        TokenStream stream = tokenizer.stream(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : array) {
            String part = stream.accept(id);
            assertThat(Tokenizer.wellFormed(part)).isEqualTo(part);
            text.append(part);
        }
        assertThat(text.append(stream.finish()).toString()).isEqualTo(tokenizer.decode(array, skipSpecial));
    }

    /** A limit keeps the first tokens; with what it cut off, all are there, but for those that stretches share. */
    @Property(tries = 300)
    void stretchesJoinedAreTheWhole(@ForAll("texts") String text, @ForAll @IntRange(min = 1, max = 9) int length,
            @ForAll @IntRange(min = 0, max = 8) int stride, @ForAll Truncation.Direction direction) {
        Tokenizer tokenizer = TOKENIZERS.getFirst();
        Truncation limit = new Truncation(length, stride, Truncation.Strategy.LONGEST_FIRST, direction);
        int[] whole = tokenizer.encode(text, EncodeOptions.DEFAULT);
        Tokenizer limited = tokenizer.withTruncation(Optional.of(limit));
        if (whole.length > length && stride >= length) {
            assertThatThrownBy(() -> limited.encoding(text, EncodeOptions.DEFAULT))
                    .isInstanceOf(TokenizerException.class).hasMessageContaining("stride");
            return;
        }
        Encoding encoding = limited.encoding(text, EncodeOptions.DEFAULT);
        List<int[]> parts = new ArrayList<>(List.of(encoding.ids()));
        encoding.overflowing().forEach(part -> parts.add(part.ids()));
        boolean left = direction == Truncation.Direction.LEFT;
        Ints joined = new Ints();
        for (int[] part : left ? parts.reversed() : parts) {
            assertThat(part).hasSizeLessThanOrEqualTo(length);
            int shared = joined.size() == 0 ? 0 : stride;
            // Only the last stretch to the left may be shorter, and then shares more.
            if (left && joined.size() > 0 && joined.size() < length) {
                shared = Math.min(stride, joined.size());
            }
            joined.addAll(Arrays.copyOfRange(part, shared, part.length));
        }
        assertThat(joined.toArray()).isEqualTo(whole);
        assertThat(limited.encode(text)).isEqualTo(encoding.ids());
    }

    @Test
    void manyAtOnceAreEachByItself() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            texts.add("the Day é" + i + " foo_bar😀 " + "ab".repeat(i % 50));
        }
        for (Tokenizer tokenizer : TOKENIZERS.subList(0, 8)) {
            List<int[]> all = tokenizer.encodeAll(texts, EncodeOptions.DEFAULT);
            for (int i = 0; i < texts.size(); i += 97) {
                assertThat(all.get(i)).isEqualTo(tokenizer.encode(texts.get(i)));
            }
            assertThat(all).hasSameSizeAs(texts);
        }
    }

    @Test
    void aBatchIsAsLongAsItsLongest() {
        Tokenizer tokenizer = TOKENIZERS.getFirst().withPadding(Optional.of(Padding.longest(3)));
        List<String> texts = List.of("a", "the quick brown fox", "");
        List<int[]> ids = tokenizer.encodeAll(texts, EncodeOptions.DEFAULT);
        assertThat(ids).allMatch(row -> row.length == ids.get(1).length);
        List<Encoding> encodings = tokenizer.encodings(texts, EncodeOptions.DEFAULT);
        for (int i = 0; i < texts.size(); i++) {
            assertThat(encodings.get(i).ids()).isEqualTo(ids.get(i));
        }
        assertThat(encodings.getLast().attentionMask()).containsOnly(0);
        assertThat(encodings.get(1).attentionMask()).containsOnly(1);
        assertThat(tokenizer.encode("a")).hasSize(1);
    }

    @Test
    void limitsThatCannotBeKeptSaySo() {
        Tokenizer tokenizer = TOKENIZERS.getFirst();
        Tokenizer second = tokenizer.withTruncation(Optional
                .of(new Truncation(2, 0, Truncation.Strategy.ONLY_SECOND, Truncation.Direction.RIGHT)));
        assertThatThrownBy(() -> second.encoding("a b c d", EncodeOptions.DEFAULT))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("expected two texts");
        assertThatThrownBy(() -> second.encoding("a b c d e f", "g", EncodeOptions.DEFAULT))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("raise the limit");
        assertThatThrownBy(() -> Truncation.to(-1)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("found length -1");
        assertThatThrownBy(() -> tokenizer.withPadding(Optional.of(Padding.longest(1 << 20))))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("1048576");
        assertThat(tokenizer.withTruncation(Optional.of(Truncation.to(0))).encode("a b")).isEmpty();
    }

    /** An expression that a text could drive into as many steps as it likes is stopped. */
    @Test
    void anExpressionMustEndInTime() {
        JsonNode model = Fixtures.resourceLines("parts.jsonl").getFirst().get("model");
        ObjectNode json = Json.Mapping.MAPPER.createObjectNode();
        json.set("model", model);
        json.putObject("normalizer").put("type", "Replace").put("content", "x").putObject("pattern").put("Regex",
                "a*a*a*a*b");
        Tokenizer tokenizer = Fixtures.tokenizer(json);
        assertThat(tokenizer.decode(tokenizer.encode("aab c"), false)).contains("x");
        assertThatThrownBy(() -> tokenizer.encode("a".repeat(5_000))).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("a*a*a*a*b").hasMessageContaining("too many steps");
    }
}
