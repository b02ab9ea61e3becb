package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts that Jinja and Hugging Face make of the same conversations. Not covered yet, and refused: the templates qwen3 and vicuna. */
class ChatTemplateTest {
    private static final List<Message> TALK = List.of(new Message("user", "Hi, how are you?"),
            new Message("assistant", "Well {{ 1 + 1 }}, & you?"),
            new Message("user", "Fine."), new Message("assistant", "Good."));

    @ParameterizedTest
    @ValueSource(strings = {"alpaca", "chatml", "gemma", "llama2", "llama3", "llama3_2", "mistral", "phi3", "qwen2_5",
            "spin", "trl_llama3", "zephyr"})
    void rendersAsHuggingFace(String name) {
        JsonNode template = Fixtures.json(SharedData.require("golden/chat/templates.json")).get("templates").get(name);
        ChatTemplate chat = ChatTemplate.of(template.get("chat_template").textValue(), tokens(template));
        int compared = 0;
        for (JsonNode row : Fixtures.lines(SharedData.require("golden/chat/golden.jsonl"))) {
            if (!row.get("template").textValue().equals(name)) {
                continue;
            }
            compared++;
            List<Message> messages = Fixtures.messages(row.get("messages"));
            boolean prompt = row.get("add_generation_prompt").booleanValue();
            Map<String, Object> options = new HashMap<>();
            if (row.has("kwargs")) {
                row.get("kwargs").properties().forEach(
                        entry -> options.put(entry.getKey(), Json.MAPPER.convertValue(entry.getValue(), Object.class)));
            }
            if (row.has("error")) {
                assertThatThrownBy(() -> chat.render(messages, prompt, options)).isInstanceOf(TokenizerException.class)
                        .hasMessageContaining(row.get("error").textValue());
            } else {
                assertThat(chat.render(messages, prompt, options)).as(row.get("case").textValue())
                        .isEqualTo(row.get("output").textValue());
            }
        }
        assertThat(compared).isEqualTo(34);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3", "vicuna"})
    void refusesWhatItCannotRender(String name) {
        JsonNode template = Fixtures.json(SharedData.require("golden/chat/templates.json")).get("templates").get(name);
        assertThatThrownBy(
                () -> ChatTemplate.of(template.get("chat_template").textValue(), tokens(template)).render(TALK, true))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("expected a template");
    }

    @Test
    void rendersTheTemplateOfTheChatCheckpoint() {
        Path folder = SharedData.require("data/models/tinystories-instruct-3m-chat-q4/hf");
        ChatTemplate chat = ChatTemplate.load(folder);
        JsonNode one = Fixtures.json(folder.resolve("golden.json")).get("cases").get(0);
        assertThat(chat.render(TALK.subList(0, 1), true)).isEqualTo("User: Hi, how are you?\nBot:");
        String prompt = one.get("prompt").textValue();
        String asked = prompt.substring("User: ".length(), prompt.length() - "\nBot:".length());
        assertThat(chat.render(List.of(new Message("user", asked)), true)).isEqualTo(prompt);
        assertThat(chat.render(TALK, false)).isEqualTo(
                "User: Hi, how are you?\nBot: Well {{ 1 + 1 }}, & you?<|endoftext|>\nUser: Fine.\nBot: Good.<|endoftext|>\n");
        assertPromptIsPrefix(chat);
    }

    @Test
    void chatMlPutsThePromptFirst() {
        assertThat(ChatTemplate.chatMl().render(TALK.subList(0, 1), true))
                .isEqualTo("<|im_start|>user\nHi, how are you?<|im_end|>\n<|im_start|>assistant\n");
        assertPromptIsPrefix(ChatTemplate.chatMl());
    }

    /** What training on the response alone rests on. */
    private static void assertPromptIsPrefix(ChatTemplate chat) {
        for (int turn = 1; turn < TALK.size(); turn += 2) {
            assertThat(chat.render(TALK.subList(0, turn + 1), false))
                    .startsWith(chat.render(TALK.subList(0, turn), true));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {"{{ messages | tojson }} ~ the filter tojson is not supported",
            "{{ 'a' | nosuch }} ~ the filter nosuch is not supported",
            "{{ nosuch(1) }} ~ nosuch", "{{ 'ab'.title() }} ~ the string method title with 0 arguments",
            "{% nosuch %} ~ nosuch",
            "{% for m in messages if m.role %}{% endfor %} ~ for m in messages if m.role", "{% if true %} ~ endif",
            "{{ 1 + }} ~ syntax error",
            "{% for m in messages recursive %}{% endfor %} ~ recursive", "{% include 'other' %} ~ other",
            "{{ raise_exception('no system role') }} ~ no system role"})
    void namesWhatItCannotRender(String template, String named) {
        assertThatThrownBy(() -> ChatTemplate.of(template, Map.of()).render(TALK, true))
                .isInstanceOf(TokenizerException.class).hasMessageContaining(named)
                .message().doesNotContain("\n");
    }

    @Test
    void speaksPythonAndJinja() {
        Map<String, String> cases = new LinkedHashMap<>();
        cases.put("{{ '\u00a0\u001cab\u3000' | trim }}", "ab");
        cases.put("{{ ' ab '.strip() }}", "ab");
        cases.put("{{ 'xxabx'.lstrip('x') }}", "abx");
        cases.put("{{ 'ab\\n'.rstrip('\\n') }}", "ab");
        cases.put("{{ 'a.b'.split('.')[-1] }}", "b");
        cases.put("{{ 'aab'.replace('a', 'c') }}", "ccb");
        cases.put("{% if 'ab'.startswith('a') and not 'ab'.endswith('a') %}yes{% endif %}", "yes");
        cases.put("{{ 'aB'.upper() + 'aB'.lower() }}", "ABab");
        cases.put("{{ 'a' + ' b ' | trim + 'c' }}", "abc");
        cases.put("{% if true %}\nx\n{% endif %}\n", "x\n");
        cases.put("a\n    {%- if true -%}\n  x  {%- endif %}\n\nb\n", "ax\nb");
        cases.put(
                "{%- set ns = namespace(n=0) -%}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                "4");
        cases.forEach((template, expected) -> assertThat(ChatTemplate.of(template, Map.of()).render(TALK, false))
                .as(template).isEqualTo(expected));
    }

    @Test
    void findsTheTemplateOfAFolder(@TempDir Path dir) throws IOException {
        assertThat(ChatTemplate.find(dir)).isEmpty();
        assertThatThrownBy(() -> ChatTemplate.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("chat_template");
        Files.writeString(dir.resolve("tokenizer_config.json"),
                "{\"bos_token\": {\"content\": \"<s>\"}, \"chat_template\": [{\"name\": \"default\", \"template\": \"{{ bos_token }}A\"}]}");
        assertThat(ChatTemplate.load(dir).render(TALK, false)).isEqualTo("<s>A");
        Files.writeString(dir.resolve("chat_template.jinja"), "{{ bos_token }}B\n");
        assertThat(ChatTemplate.load(dir).render(TALK, false)).isEqualTo("<s>B");
    }

    private static Map<String, String> tokens(JsonNode template) {
        Map<String, String> tokens = new HashMap<>();
        for (String key : List.of("bos_token", "eos_token")) {
            if (template.hasNonNull(key)) {
                tokens.put(key, template.get(key).textValue());
            }
        }
        return tokens;
    }
}
