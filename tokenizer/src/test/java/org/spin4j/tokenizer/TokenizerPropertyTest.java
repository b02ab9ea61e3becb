package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** What must hold for any text and any ids. */
class TokenizerPropertyTest {
    private static final Tokenizer TRAINED = BpeTrainer.train(
            Fixtures.strings(Fixtures.resource("trained.json").get("texts")),
            new BpeTrainer.Config(500, 1, List.of("<|endoftext|>")));
    private static final List<JsonNode> VARIANTS = Fixtures.resourceLines("variants.jsonl");
    private static final List<String> SENTENCES = List.of("byte fallback", "unknown fused", "unknown one by one");
    private static final List<Tokenizer> CUT = SENTENCES.stream().map(name -> sentences(name)).toList();
    private static final List<Tokenizer> WHOLE = SENTENCES.stream().map(name -> sentences(name, "q\u2581z")).toList();

    /** Characters that meet each other seldom in random text: spaces, apostrophes, digits, letters of tokens, pairs of surrogates. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<Character> chars = Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(6,
                        Arbitraries.of(' ', '\n', '\r', '\t', '\'', 's', 'l', 'e', 't', 'h', 'A', '1', '2', '.',
                                '\u00a0', 'ſ', '\u2003', '<', '|', '>', '/', 'B', 'É', 'é', '日', 'ʰ', 'ǅ', '\u0301')),
                net.jqwik.api.Tuple.of(2, Arbitraries.chars().all()),
                net.jqwik.api.Tuple.of(1, Arbitraries.chars().range('\ud800', '\udfff')));
        return chars.list().ofMaxSize(60).map(list -> {
            StringBuilder text = new StringBuilder();
            list.forEach(text::append);
            return text.toString();
        });
    }

    @Property(tries = 1000)
    void textComesBack(@ForAll("texts") String text) {
        assertThat(TRAINED.decode(TRAINED.encode(text), false)).isEqualTo(Tokenizer.wellFormed(text));
    }

    @Property(tries = 500)
    void plainTextHasNoSpecialTokens(@ForAll("texts") String text) {
        int[] ids = TRAINED.encode(text + "<|endoftext|>" + text, EncodeOptions.PLAIN);
        assertThat(ids).doesNotContain(0);
        assertThat(TRAINED.decode(ids, true)).isEqualTo(Tokenizer.wellFormed(text + "<|endoftext|>" + text));
    }

    @Property(tries = 500)
    void streamedIsDecodedAtOnce(@ForAll List<@net.jqwik.api.constraints.IntRange(min = -1, max = 300) Integer> ids,
            @ForAll @net.jqwik.api.constraints.IntRange(min = 0, max = 20) int which) {
        Tokenizer tokenizer = Fixtures.tokenizer(VARIANTS.get(which).get("tokenizer"));
        int[] array = ids.stream().mapToInt(Integer::intValue).toArray();
        TokenStream stream = tokenizer.stream(false);
        StringBuilder text = new StringBuilder();
        for (int id : array) {
            String part = stream.accept(id);
            assertThat(Tokenizer.wellFormed(part)).isEqualTo(part);
            text.append(part);
        }
        assertThat(text.append(stream.finish()).toString()).isEqualTo(tokenizer.decode(array, false));
    }

    @Test
    void threadsMayShareOneTokenizer() {
        List<String> texts = Fixtures.strings(Fixtures.resource("trained.json").get("texts"));
        List<String> one = texts.stream().map(text -> java.util.Arrays.toString(TRAINED.encode(text))).toList();
        Tokenizer fresh = BpeTrainer.train(texts, new BpeTrainer.Config(500, 1, List.of("<|endoftext|>")));
        assertThat(texts.parallelStream().map(text -> java.util.Arrays.toString(fresh.encode(text))).toList())
                .isEqualTo(one);
    }

    @Test
    void aCharacterIsHeldBackUntilItIsWhole() {
        Tokenizer bytes = BpeTrainer.train(List.of(), new BpeTrainer.Config(256, 0, List.of()));
        int[] ids = bytes.encode("🙂");
        TokenStream stream = bytes.stream(true);
        assertThat(List.of(stream.accept(ids[0]), stream.accept(ids[1]), stream.accept(ids[2]), stream.accept(ids[3]),
                stream.finish()))
                .containsExactly("", "", "", "🙂", "");
    }

    @Property(tries = 1000)
    void scannersCutAsTheirExpressions(@ForAll("texts") String raw, @ForAll WordPattern pattern) {
        String text = Tokenizer.wellFormed(raw);
        Matcher regex = Pattern.compile(pattern.regex(), Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE)
                .matcher(text);
        int pos = 0;
        while (pos < text.length()) {
            assertThat(regex.find(pos)).isTrue();
            int end = pattern.wordEnd(text, pos, text.length());
            assertThat(List.of(pos, end)).as(text).isEqualTo(List.of(regex.start(), regex.end()));
            pos = end;
        }
    }

    /** The definition itself, in the simplest words: merge the pair of lowest rank, the leftmost first, until there is none. */
    @Property(tries = 300)
    void mergesAsDefined(@ForAll("words") String word) {
        JsonNode model = VARIANTS.stream().filter(v -> v.get("name").textValue().equals("no regex")).findFirst()
                .orElseThrow().get("tokenizer");
        List<String> merges = Fixtures.strings(model.get("model").get("merges"));
        List<String> symbols = new java.util.ArrayList<>(word.chars().mapToObj(Character::toString).toList());
        while (true) {
            int best = -1;
            int bestRank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int rank = merges.indexOf(symbols.get(i) + " " + symbols.get(i + 1));
                if (rank >= 0 && rank < bestRank) {
                    best = i;
                    bestRank = rank;
                }
            }
            if (best < 0) {
                break;
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
        Tokenizer tokenizer = Fixtures.tokenizer(model);
        List<String> tokens = java.util.Arrays.stream(tokenizer.encode(word)).mapToObj(tokenizer::token).toList();
        assertThat(tokens).isEqualTo(symbols);
    }

    /** A token across words, which no merge leads to, changes nothing but that the text is merged as a whole. */
    @Property(tries = 300)
    void wordsMergedAloneGiveTheIdsOfTheWholeText(@ForAll("texts") String raw, @ForAll("words") String word) {
        String text = raw + " " + word + "  " + raw;
        for (int i = 0; i < CUT.size(); i++) {
            assertThat(CUT.get(i).encode(text)).as(SENTENCES.get(i)).isEqualTo(WHOLE.get(i).encode(text));
        }
    }

    /** A tokenizer without the one token that it has across words and the merge that makes it, its last. */
    private static Tokenizer sentences(String name, String... moreTokens) {
        ObjectNode file = VARIANTS.stream().filter(v -> v.get("name").textValue().equals(name)).findFirst()
                .orElseThrow().get("tokenizer").deepCopy();
        ObjectNode vocab = (ObjectNode) file.get("model").get("vocab");
        vocab.remove("e\u2581");
        ArrayNode merges = (ArrayNode) file.get("model").get("merges");
        merges.remove(merges.size() - 1);
        for (String token : moreTokens) {
            vocab.put(token, 100_000);
        }
        return Fixtures.tokenizer(file);
    }

    @Provide
    Arbitrary<String> words() {
        return Arbitraries.strings().withChars("athein12").ofMinLength(1).ofMaxLength(200);
    }
}
