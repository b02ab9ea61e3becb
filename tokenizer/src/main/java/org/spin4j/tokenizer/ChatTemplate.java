package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.spin4j.tokenizer.jinja.JinjaException;
import org.spin4j.tokenizer.jinja.Template;
import org.spin4j.tokenizer.jinja.Value;

/**
 * A model's own way of writing a conversation, in Jinja as Hugging Face's {@code apply_chat_template} renders it. The same object serves
 * training and generation, so a model is asked in the form it was taught. {@link ChatEncoding} makes ids of it.
 *
 * <p>
 * Immutable; any number of threads may use one. What a template needs and is not covered is an error that names it, and so is what a
 * template refuses by itself.
 */
public final class ChatTemplate {
    private static final List<String> TOKENS = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");

    private final String source;
    private final String name;
    private final Map<String, String> tokens;
    private final Template template;
    /** For conversations with tools, where a model has a template of its own for them. */
    private final Optional<ChatTemplate> forTools;
    private final Clock clock;

    private ChatTemplate(String source, String name, Map<String, String> tokens, Optional<ChatTemplate> forTools,
            Clock clock) {
        this.source = source;
        this.name = name;
        this.tokens = Map.copyOf(tokens);
        this.forTools = forTools;
        this.clock = clock;
        try {
            template = Template.parse(source);
        } catch (JinjaException e) {
            throw new TokenizerException("expected a chat template in Jinja, " + e.getMessage() + " in " + place(e)
                    + "; correct the template or name another", e);
        }
    }

    private ChatTemplate(String source, String name, Map<String, String> tokens) {
        this(source, name, tokens, Optional.empty(), Clock.system(ZoneId.systemDefault()));
    }

    /**
     * Reads the template of a model folder: {@code chat_template.jinja}, or {@code chat_template} in tokenizer_config.json, which also
     * names the special tokens.
     *
     * @throws TokenizerException if there is none, or it cannot be read
     */
    public static ChatTemplate load(Path dir) {
        return find(dir).orElseThrow(() -> new TokenizerException(
                "expected chat_template.jinja or a chat_template in tokenizer_config.json, found neither in " + dir
                        + "; name a template to use: " + String.join(", ", BuiltInTemplates.NAMES) + " or a file"));
    }

    /** The template of a model folder, empty if it has none. */
    public static Optional<ChatTemplate> find(Path dir) {
        Path jinjaFile = dir.resolve("chat_template.jinja");
        Optional<Json> config = config(dir);
        Map<String, String> tokens = tokens(config);
        if (Files.exists(jinjaFile)) {
            return Optional.of(new ChatTemplate(text(jinjaFile), jinjaFile.toString(), tokens));
        }
        return config.flatMap(json -> json.find("chat_template")).map(template -> {
            String place = dir.resolve("tokenizer_config.json") + " (chat_template)";
            if (!template.node().isArray()) {
                return new ChatTemplate(template.string(), place, tokens);
            }
            Optional<ChatTemplate> forTools = named(template, "tool_use")
                    .map(source -> new ChatTemplate(source, place + ", tool_use", tokens));
            return new ChatTemplate(
                    named(template, "default")
                            .orElseThrow(() -> template.expected("a template named default among several")),
                    place, tokens, forTools, Clock.system(ZoneId.systemDefault()));
        });
    }

    /** The template in the metadata of a GGUF file, empty if it has none; {@code name} is what messages call the file. */
    public static Optional<ChatTemplate> ofGguf(Map<String, Object> metadata, String name) {
        if (!(metadata.get(GgufTokenizer.TEMPLATE) instanceof String source)) {
            return Optional.empty();
        }
        Map<String, String> tokens = GgufTokenizer.roles(metadata, name);
        Optional<ChatTemplate> forTools = metadata.get(GgufTokenizer.TOOL_TEMPLATE) instanceof String other
                ? Optional.of(new ChatTemplate(other, name + " (" + GgufTokenizer.TOOL_TEMPLATE + ")", tokens))
                : Optional.empty();
        return Optional.of(new ChatTemplate(source, name + " (" + GgufTokenizer.TEMPLATE + ")", tokens, forTools,
                Clock.system(ZoneId.systemDefault())));
    }

    /** As {@link #choose(String, Path)}, with the special tokens in the metadata of a GGUF file. */
    public static ChatTemplate choose(String nameOrFile, Map<String, Object> metadata, String name) {
        return choose(nameOrFile, GgufTokenizer.roles(metadata, name));
    }

    /**
     * The template that someone names: one of {@link #builtIns}, or a file of Jinja. Its special tokens are those of a model folder.
     *
     * @param dir the model folder
     */
    public static ChatTemplate choose(String nameOrFile, Path dir) {
        return choose(nameOrFile, tokens(config(dir)));
    }

    private static ChatTemplate choose(String nameOrFile, Map<String, String> tokens) {
        if (BuiltInTemplates.NAMES.contains(nameOrFile)) {
            return builtIn(nameOrFile, tokens);
        }
        Path file = Path.of(nameOrFile);
        if (!Files.isRegularFile(file)) {
            throw new TokenizerException("expected a chat template, one of "
                    + String.join(", ", BuiltInTemplates.NAMES) + " or a file, found " + nameOrFile
                    + "; correct the name");
        }
        return new ChatTemplate(text(file), file.toString(), tokens);
    }

    /** The names of the templates that need no file: {@code alpaca}, {@code chatml}, {@code llama2}, {@code llama3}, {@code zephyr}. */
    public static List<String> builtIns() {
        return BuiltInTemplates.NAMES;
    }

    /**
     * One of {@link #builtIns}.
     *
     * @param tokens what it calls by name, such as {@code eos_token}; for those left out the template has the usual ones
     */
    public static ChatTemplate builtIn(String name, Map<String, String> tokens) {
        return new ChatTemplate(BuiltInTemplates.source(name), "the built-in template " + name, tokens);
    }

    /**
     * A template from its Jinja text.
     *
     * @param tokens what the template may call by name, such as {@code bos_token}
     */
    public static ChatTemplate of(String source, Map<String, String> tokens) {
        return new ChatTemplate(source, "the template", tokens);
    }

    /** This template at another time, for those that tell the date. */
    ChatTemplate withClock(Clock other) {
        return new ChatTemplate(source, name, tokens, forTools.map(template -> template.withClock(other)), other);
    }

    /** The Jinja text. */
    public String source() {
        return source;
    }

    /** The Jinja text of the template for conversations with tools, where that is another. */
    Optional<String> toolSource() {
        return forTools.map(ChatTemplate::source);
    }

    /**
     * The conversation as text.
     *
     * @param addGenerationPrompt end with what makes the model answer
     * @throws TokenizerException if the template refuses the conversation or cannot be rendered
     */
    public String render(List<Message> messages, boolean addGenerationPrompt) {
        return render(messages, addGenerationPrompt, Map.of());
    }

    /**
     * The conversation as text.
     *
     * @param options further values that the template may ask for, such as {@code tools}, {@code documents} or {@code enable_thinking}:
     *        JSON, or what Jackson makes JSON of
     */
    public String render(List<Message> messages, boolean addGenerationPrompt, Map<String, ?> options) {
        return renderSpans(messages, addGenerationPrompt, options).text();
    }

    /** As {@link #render(List, boolean, Map)}, with the places of what the template marks as generated. */
    Template.Rendered renderSpans(List<Message> messages, boolean addGenerationPrompt, Map<String, ?> options) {
        if (forTools.isPresent() && options.get("tools") != null) {
            return forTools.get().renderSpans(messages, addGenerationPrompt, options);
        }
        Map<String, Value> values = new HashMap<>();
        try {
            tokens.forEach((key, token) -> values.put(key, new Value.Str(token)));
            values.put("tools", Value.None.NONE);
            values.put("documents", Value.None.NONE);
            options.forEach(
                    (key, value) -> values.put(key, Template.value(Json.Mapping.MAPPER.<JsonNode>valueToTree(value))));
            JsonNode turns = JsonNodeFactory.instance.arrayNode().addAll(messages.stream().map(Message::node).toList());
            values.put("messages", Template.value(turns));
            values.put("add_generation_prompt", Value.Bool.of(addGenerationPrompt));
            return template.render(values, LocalDateTime.now(clock));
        } catch (JinjaException e) {
            throw new TokenizerException("expected a template that renders this conversation, found \""
                    + e.getMessage() + "\" in " + place(e) + "; change the conversation or the template", e);
        } catch (StackOverflowError e) {
            throw new TokenizerException("expected a template that renders this conversation, found one nested too "
                    + "deeply in " + name + "; change the conversation or the template", e);
        }
    }

    private String place(JinjaException e) {
        return e.line() == 0 ? name : name + ":" + e.line();
    }

    private static String text(Path file) {
        return new String(Json.readFile(file), StandardCharsets.UTF_8);
    }

    private static Optional<Json> config(Path dir) {
        Path file = dir.resolve("tokenizer_config.json");
        return Files.exists(file) ? Optional.of(Json.parse(Json.readFile(file), file.toString())) : Optional.empty();
    }

    private static Map<String, String> tokens(Optional<Json> config) {
        Map<String, String> tokens = new HashMap<>();
        for (String key : TOKENS) {
            config.flatMap(json -> json.find(key)).ifPresent(token -> tokens.put(key, tokenText(token)));
        }
        return tokens;
    }

    /** A token in tokenizer_config.json: its text, or an object that holds it. */
    static String tokenText(Json value) {
        return value.node().isObject() ? value.get("content").string() : value.string();
    }

    private static Optional<String> named(Json templates, String name) {
        return templates.items().stream().filter(one -> name.equals(one.get("name").node().textValue()))
                .map(one -> one.get("template").string()).findFirst();
    }
}
