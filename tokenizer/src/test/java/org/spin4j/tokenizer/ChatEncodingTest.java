package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** What a model is to learn of a conversation, and that it is asked for it with the ids it was taught. */
class ChatEncodingTest {
    private static final Tokenizer TOKENIZER = BpeTrainer.train(
            Fixtures.strings(Fixtures.resource("trained.json").get("texts")),
            new BpeTrainer.Config(500, 1, List.of("<|im_start|>", "<|im_end|>", "<s>", "</s>", "<|eot_id|>",
                    "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>")));
    private static final List<Integer> ENDS = List.of(TOKENIZER.id("<|im_end|>").orElseThrow(),
            TOKENIZER.id("</s>").orElseThrow(), TOKENIZER.id("<|eot_id|>").orElseThrow());
    private static final List<Message> TALK = List.of(new Message("system", "Be brief."), new Message("user", "Hi"),
            new Message("assistant", "Hello"), new Message("user", "More"), new Message("assistant", "No"));

    @Test
    void learnsTheAssistantsTurnsUpToTheirEnds() {
        ChatEncoding chat = encode(ChatTemplate.builtIn("chatml", Map.of()), TALK);
        assertThat(learnt(chat)).containsExactly("Hello<|im_end|>", "No<|im_end|>");
        assertThat(TOKENIZER.decode(chat.ids(), false)).isEqualTo(chat.text());
        assertThat(Arrays.stream(chat.mask()).sum())
                .isEqualTo(chat.turns().stream().mapToInt(turn -> turn.end() - turn.start()).sum());
        assertThat(learnt(encode(ChatTemplate.builtIn("llama2", Map.of()), TALK)))
                .containsExactly(" Hello </s>", " No </s>");
        assertThat(learnt(encode(ChatTemplate.builtIn("llama3", Map.of()), TALK)))
                .containsExactly("Hello<|eot_id|>", "No<|eot_id|>");
        assertThat(learnt(encode(ChatTemplate.builtIn("zephyr", Map.of()), TALK)))
                .containsExactly("Hello</s>", "No</s>");
        assertThat(learnt(encode(ChatTemplate.builtIn("alpaca", Map.of()), TALK)))
                .containsExactly("Hello</s>", "No</s>");
    }

    @Test
    void endsATurnWhereTheNextBeginsIfNoTokenEndsIt() {
        ChatTemplate plain = ChatTemplate.of("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
                + "{% if add_generation_prompt %}assistant: {% endif %}", Map.of());
        assertThat(learnt(encode(plain, TALK))).containsExactly("Hello\n", "No\n");
    }

    @Test
    void learnsWhatTheTemplateMarks() {
        ChatTemplate marked = ChatTemplate.of("{% for m in messages %}<|im_start|>{{ m.role }}\n"
                + "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
                + "{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}", Map.of());
        assertThat(learnt(encode(marked, TALK))).containsExactly("Hello<|im_end|>", "No<|im_end|>");
        assertThat(encode(marked, TALK.subList(0, 2)).turns()).isEmpty();
        ChatTemplate inMacro = ChatTemplate.of(
                "{% macro m() %}{% generation %}x{% endgeneration %}{% endmacro %}{{ m() }}",
                Map.of());
        assertThatThrownBy(() -> encode(inMacro, TALK)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("inside a macro");
    }

    @Test
    void refusesATemplateThatRewritesWhatItWrote() {
        ChatTemplate forgetful = ChatTemplate.of("{% for m in messages %}<|im_start|>{{ m.role }}\n"
                + "{{ m.content if loop.last or m.role != 'assistant' }}<|im_end|>\n{% endfor %}"
                + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}", Map.of());
        assertThatThrownBy(() -> encode(forgetful, TALK)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("found one that writes the conversation up to message 3 differently")
                .hasMessageContaining("{% generation %}");
        assertThat(learnt(ChatEncoding.of(TOKENIZER, forgetful, TALK, Map.of(), ENDS, false)))
                .containsExactly("No<|im_end|>");
        assertThat(learnt(encode(forgetful, TALK.subList(0, 3)))).containsExactly("Hello<|im_end|>");
    }

    @Test
    void aTokenBelongsToTheTurnInWhichItBegins() {
        Tokenizer pairs = BpeTrainer.train(List.of("x\n\n\nx\n\n\nx"), new BpeTrainer.Config(300, 1, List.of()));
        ChatTemplate template = ChatTemplate.of("{% for m in messages %}{{ m.content }}\n{% endfor %}", Map.of());
        // The line end of the prompt and that of the answer are one token, which begins in the prompt.
        List<Message> talk = List.of(new Message("user", "x"), new Message("assistant", "\n\nx"));
        ChatEncoding chat = ChatEncoding.of(pairs, template, talk, Map.of(), List.of(), true);
        assertThat(pairs.decode(chat.ids(), false)).isEqualTo("x\n\n\nx\n");
        assertThat(pairs.token(chat.ids()[1])).isEqualTo("ĊĊ");
        assertThat(chat.mask()).containsExactly(0, 0, 1, 1, 1);
    }

    @Test
    void agreesWithTheGoldenIds() {
        Tokenizer qwen = Tokenizer.load(SharedData.require("data/tokenizers/qwen3"));
        ChatTemplate template = ChatTemplate.load(SharedData.require("data/tokenizers/qwen3"));
        List<Message> talk = TALK.subList(0, 3);
        ChatEncoding chat = ChatEncoding.of(qwen, template, talk, Map.of(), List.of(qwen.eosId().orElseThrow()),
                true);
        assertThat(chat.turns()).hasSize(1);
        ChatEncoding.Turn turn = chat.turns().getFirst();
        assertThat(qwen.decode(Arrays.copyOfRange(chat.ids(), turn.start(), turn.end()), false))
                .isEqualTo("<think>\n\n</think>\n\nHello<|im_end|>");
        assertThat(ChatEncoding.prompt(qwen, template, talk.subList(0, 2), Map.of()))
                .isEqualTo(Arrays.copyOf(chat.ids(), turn.start()));
    }

    @Provide
    Arbitrary<String> contents() {
        Arbitrary<String> words = Arbitraries.strings()
                .withChars(' ', '\n', 'e', 't', 'h', 'A', '1', '.', '\'', 'é', '\u00a0', '日', '<', '|', '{', '%')
                .ofMinLength(0).ofMaxLength(20);
        // An answer that begins with white space may share a token with its prompt; see the test above.
        return words.map(text -> "a" + text);
    }

    @Property(tries = 100)
    void asksWithTheIdsItTaught(@ForAll("contents") String system,
            @ForAll @Size(min = 1, max = 4) List<@net.jqwik.api.From("contents") String> questions) {
        List<Message> talk = new ArrayList<>();
        if (system.length() > 3) {
            talk.add(new Message("system", system));
        }
        for (String question : questions) {
            talk.add(new Message("user", question));
            talk.add(new Message("assistant", "a" + question.strip() + question.length()));
        }
        for (String name : ChatTemplate.builtIns()) {
            ChatTemplate template = ChatTemplate.builtIn(name, Map.of());
            ChatEncoding chat = encode(template, talk);
            assertThat(chat.turns()).as(name).hasSize(questions.size());
            for (int k = 0; k < questions.size(); k++) {
                int upTo = talk.size() - 2 * (questions.size() - k) + 1;
                assertThat(ChatEncoding.prompt(TOKENIZER, template, talk.subList(0, upTo), Map.of())).as(name)
                        .isEqualTo(Arrays.copyOf(chat.ids(), chat.turns().get(k).start()));
            }
        }
    }

    private static ChatEncoding encode(ChatTemplate template, List<Message> talk) {
        return ChatEncoding.of(TOKENIZER, template, talk, Map.of(), ENDS, true);
    }

    private static List<String> learnt(ChatEncoding chat) {
        return chat.turns().stream().map(
                turn -> TOKENIZER.decode(Arrays.copyOfRange(chat.ids(), turn.start(), turn.end()), false)).toList();
    }
}
