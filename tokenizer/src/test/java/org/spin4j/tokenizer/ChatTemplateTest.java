package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts that Jinja and Hugging Face make of the same conversations. */
class ChatTemplateTest {
    private static final List<Message> TALK = List.of(new Message("user", "Hi, how are you?"),
            new Message("assistant", "Well {{ 1 + 1 }}, & you?"),
            new Message("user", "Fine."), new Message("assistant", "Good."));

    @Test
    void rendersEveryGoldenConversationAsHuggingFace() {
        JsonNode templates = Fixtures.json(SharedData.require("golden/chat/templates.json")).get("templates");
        Map<String, ChatTemplate> chats = new HashMap<>();
        templates.properties().forEach(entry -> chats.put(entry.getKey(),
                ChatTemplate.of(entry.getValue().get("chat_template").textValue(), tokens(entry.getValue()))));
        Map<String, Tokenizer> tokenizers = Map.of(
                "llama3", Tokenizer.load(SharedData.require("data/tokenizers/llama3")),
                "qwen3", Tokenizer.load(SharedData.require("data/tokenizers/qwen3")));
        int compared = 0;
        int ids = 0;
        for (JsonNode row : Fixtures.lines(SharedData.require("golden/chat/golden.jsonl"))) {
            String name = row.get("template").textValue();
            assertSame(chats.get(name), row);
            if (row.has("ids")) {
                assertThat(tokenizers.get(name).encode(row.get("output").textValue(), EncodeOptions.TEMPLATED))
                        .as(row.toString()).isEqualTo(Fixtures.ints(row.get("ids")));
                ids++;
            }
            compared++;
        }
        assertThat(compared).isEqualTo(493);
        assertThat(ids).isEqualTo(85);
    }

    @ParameterizedTest
    @CsvSource({"alpaca, alpaca", "chatml, chatml", "llama2, llama2", "llama3, trl_llama3", "zephyr, zephyr"})
    void builtInsRenderAsTheirModels(String name, String golden) {
        JsonNode template = Fixtures.json(SharedData.require("golden/chat/templates.json")).get("templates")
                .get(golden);
        ChatTemplate chat = ChatTemplate.builtIn(name, tokens(template));
        List<JsonNode> rows = Fixtures.lines(SharedData.require("golden/chat/golden.jsonl")).stream()
                .filter(row -> row.get("template").textValue().equals(golden)).toList();
        rows.forEach(row -> assertSame(chat, row));
        assertThat(rows).hasSize(34);
    }

    private static void assertSame(ChatTemplate chat, JsonNode row) {
        List<Message> messages = Fixtures.messages(row.get("messages"));
        boolean prompt = row.get("add_generation_prompt").booleanValue();
        Map<String, JsonNode> options = new HashMap<>();
        row.path("kwargs").properties().forEach(entry -> options.put(entry.getKey(), entry.getValue()));
        if (row.has("error")) {
            assertThatThrownBy(() -> chat.render(messages, prompt, options)).isInstanceOf(TokenizerException.class)
                    .hasMessageContaining(row.get("error").textValue());
        } else {
            assertThat(chat.render(messages, prompt, options)).as(row.get("template") + " " + row.get("case"))
                    .isEqualTo(row.get("output").textValue());
        }
    }

    /** The file's outputs were made by transformers 5.18.0 with jinja2 3.1.6; its first line holds conversations and options. */
    @Test
    void rendersConversationsOfAllKindsAsHuggingFace() {
        List<JsonNode> rows = Fixtures.resourceLines("conversations.jsonl");
        JsonNode given = rows.getFirst();
        Map<String, ChatTemplate> chats = new HashMap<>();
        ChatTemplate.builtIns().forEach(name -> chats.put(name, ChatTemplate.builtIn(name, Map.of())));
        chats.put("agent", ChatTemplate.of(Fixtures.resourceText("agent.jinja"), Map.of())
                .withClock(Clock.fixed(Instant.parse("2024-07-26T14:05:09Z"), ZoneOffset.UTC)));
        for (JsonNode row : rows.subList(1, rows.size())) {
            ChatTemplate chat = chats.get(row.get("template").textValue());
            List<Message> messages = Fixtures
                    .messages(given.get("conversations").get(row.get("conversation").textValue()));
            boolean prompt = row.get("add_generation_prompt").booleanValue();
            Map<String, JsonNode> options = new HashMap<>();
            given.get("options").get(row.get("options").intValue()).properties()
                    .forEach(entry -> options.put(entry.getKey(), entry.getValue()));
            if (row.has("output")) {
                assertThat(chat.render(messages, prompt, options)).as(row.toString())
                        .isEqualTo(row.get("output").textValue());
            } else {
                assertThatThrownBy(() -> chat.render(messages, prompt, options)).as(row.toString())
                        .isInstanceOf(TokenizerException.class);
            }
        }
        assertThat(rows).hasSizeGreaterThan(250);
    }

    @Test
    void builtInsAskAQuestion() {
        Map<String, String> prompts = Map.of(
                "alpaca",
                """
                        <s>Below is an instruction that describes a task. Write a response that appropriately completes the request.

                        ### Instruction:
                        Hi

                        ### Response:
                        """,
                "chatml", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
                "llama2", "<s>[INST] Hi [/INST]",
                "llama3", "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                        + "<|start_header_id|>assistant<|end_header_id|>\n\n",
                "zephyr", "<|user|>\nHi</s>\n<|assistant|>\n");
        assertThat(prompts.keySet()).containsExactlyInAnyOrderElementsOf(ChatTemplate.builtIns());
        prompts.forEach((name, prompt) -> assertThat(
                ChatTemplate.builtIn(name, Map.of()).render(List.of(new Message("user", "Hi")), true)).as(name)
                .isEqualTo(prompt));
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
    }

    @Test
    void givesTemplatesWhatMessagesHoldBesides() throws IOException {
        ChatTemplate chat = ChatTemplate.of("{% for m in messages %}{{ m.role }}: {{ m.content | tojson }}"
                + "{% for c in m.tool_calls or [] %} {{ c.function.name }}({{ c.function.arguments | tojson }})"
                + "{% endfor %};{% endfor %}{{ tools | tojson }}{{ documents is none }}{{ deep.a[1] }}", Map.of());
        List<Message> messages = List.of(
                Message.of(
                        Json.Mapping.MAPPER
                                .readTree("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"é\"}]}")),
                Message.of(Json.Mapping.MAPPER.readTree("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":"
                        + "[{\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1.0}}}]}")));
        assertThat(chat.render(messages, false, Map.of("tools", List.of(Map.of("name", "f")),
                "deep", Map.of("a", List.of(1, true)))))
                .isEqualTo("user: [{\"type\": \"text\", \"text\": \"é\"}];assistant: null f({\"x\": 1.0});"
                        + "[{\"name\": \"f\"}]TrueTrue");
        assertThat(messages.get(0).content()).isEqualTo("é");
        assertThat(messages.get(1).content()).isEmpty();
    }

    @Test
    void tellsTheTime() {
        ChatTemplate chat = ChatTemplate.of("{{ strftime_now('%d %b %Y, %A %-d.%-m.%y %H:%M:%S %p %j %%') }}", Map.of())
                .withClock(Clock.fixed(Instant.parse("2024-07-06T09:05:03Z"), ZoneOffset.UTC));
        assertThat(chat.render(TALK, false)).isEqualTo("06 Jul 2024, Saturday 6.7.24 09:05:03 AM 188 %");
        assertThatThrownBy(() -> ChatTemplate.of("{{ strftime_now('%U') }}", Map.of()).render(TALK, false))
                .isInstanceOf(TokenizerException.class).hasMessageContaining("the time format %U is not supported");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {"{{ 'a' | nosuch }} ~ the filter nosuch is not supported",
            "{{ nosuch(1) }} ~ 'nosuch' is undefined", "{{ 'ab'.translate({}) }} ~ the attribute translate of str",
            "{{ 1 is nosuch }} ~ the test nosuch is not supported",
            "{{ raise_exception('no system role') }} ~ the template says: no system role"})
    void namesWhatItCannotRender(String template, String named) {
        assertThatThrownBy(() -> ChatTemplate.of(template, Map.of()).render(TALK, true))
                .isInstanceOf(TokenizerException.class).hasMessageContaining(named)
                .hasMessageContaining("in the template:1").message().doesNotContain("\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {"{% nosuch %} ~ the tag \"nosuch\", which is not supported",
            "{% include 'other' %} ~ the tag \"include\"", "{% if true %} ~ no elif or else or endif",
            "{{ 1 + }} ~ \"}}\" where an expression should be"})
    void refusesAtOnceWhatItCannotRead(String template, String named) {
        assertThatThrownBy(() -> ChatTemplate.of(template, Map.of())).isInstanceOf(TokenizerException.class)
                .hasMessageContaining(named).hasMessageContaining("in the template:1");
    }

    @Test
    void findsTheTemplateOfAFolder(@TempDir Path dir) throws IOException {
        assertThat(ChatTemplate.find(dir)).isEmpty();
        assertThatThrownBy(() -> ChatTemplate.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("chat_template").hasMessageContaining("chatml");
        Files.writeString(dir.resolve("tokenizer_config.json"),
                "{\"bos_token\": {\"content\": \"<s>\"}, \"chat_template\": "
                        + "[{\"name\": \"default\", \"template\": \"{{ bos_token }}A\"}, {\"name\": \"tool_use\", \"template\": \"T\"}]}");
        assertThat(ChatTemplate.load(dir).render(TALK, false)).isEqualTo("<s>A");
        assertThat(ChatTemplate.load(dir).render(TALK, false, Map.of("tools", List.of()))).isEqualTo("T");
        Files.writeString(dir.resolve("chat_template.jinja"), "{{ bos_token }}B\n");
        assertThat(ChatTemplate.load(dir).render(TALK, false)).isEqualTo("<s>B");
    }

    @Test
    void choosesATemplateByNameOrFile(@TempDir Path dir) throws IOException {
        Files.writeString(dir.resolve("tokenizer_config.json"), "{\"eos_token\": \"<end>\"}");
        assertThat(ChatTemplate.choose("zephyr", dir).render(TALK.subList(0, 1), false))
                .isEqualTo("<|user|>\nHi, how are you?<end>\n");
        Path file = Files.writeString(dir.resolve("mine.jinja"), "{{ messages[0].content }}{{ eos_token }}");
        assertThat(ChatTemplate.choose(file.toString(), dir).render(TALK, false)).isEqualTo("Hi, how are you?<end>");
        assertThatThrownBy(() -> ChatTemplate.choose("zephir", dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("alpaca, chatml, llama2, llama3, zephyr or a file, found zephir");
    }

    @Test
    void refusesMessagesThatAreNone() throws IOException {
        for (String json : List.of("[]", "{}", "{\"role\":1,\"content\":\"\"}", "{\"role\":\"user\",\"content\":1}")) {
            JsonNode node = Json.Mapping.MAPPER.readTree(json);
            assertThatThrownBy(() -> Message.of(node)).isInstanceOf(TokenizerException.class)
                    .hasMessageContaining("expected a message");
        }
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
