package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.ELException;

/**
 * A model's own way of writing a conversation, in Jinja as Hugging Face renders it: blocks trimmed, nothing escaped, what the messages say
 * never read as a template. The same object serves training and generation, so a model is asked in the form it was taught. Encode the
 * result with {@link EncodeOptions#TEMPLATED}.
 *
 * <p>
 * Immutable; any number of threads may use one. What the engine cannot render as Jinja would is refused by name.
 */
public final class ChatTemplate {
    private static final String CHAT_ML = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
            + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    private static final Set<String> SAME_FILTERS = Set.of("length", "count", "upper", "lower", "first", "last", "join",
            "default", "d", "list", "string",
            "safe", "selectattr", "rejectattr", "map", "int");
    private static final long MAX_OUTPUT = 64L << 20;

    private final String source;
    private final String name;
    private final Map<String, String> tokens;
    private final Jinjava jinja;

    private ChatTemplate(String source, String name, Map<String, String> tokens) {
        this.source = source;
        this.name = name;
        this.tokens = Map.copyOf(tokens);
        CompositeELResolver resolver = new CompositeELResolver();
        resolver.add(new PythonStrings());
        resolver.add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
        LegacyOverrides jinjaRules = LegacyOverrides.newBuilder().withEvaluateMapKeys(true).withIterateOverMapKeys(true)
                .withUseNaturalOperatorPrecedence(true).withParseWhitespaceControlStrictly(true)
                .withAllowAdjacentTextNodes(true)
                .withUseTrimmingForNotesAndExpressions(true).withKeepNullableLoopValues(true).build();
        jinja = new Jinjava(JinjavaConfig.newBuilder().withTrimBlocks(true).withLstripBlocks(true)
                .withNestedInterpretationEnabled(false)
                .withLegacyOverrides(jinjaRules).withElResolver(resolver).withMaxOutputSize(MAX_OUTPUT).build());
        jinja.getGlobalContext().registerFunction(
                new ELFunctionDefinition("", "raise_exception", ChatTemplate.class, "raiseException", String.class));
        jinja.getGlobalContext().registerFilter(new PythonStrings.Trim());
        for (String filter : TemplateScan.filters(source, name)) {
            if (!filter.equals("trim") && !SAME_FILTERS.contains(filter)) {
                jinja.getGlobalContext().registerFilter(new Refused(filter));
            }
        }
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
                        + "; name a template to use"));
    }

    /** The template of a model folder, empty if it has none. */
    public static Optional<ChatTemplate> find(Path dir) {
        Path configFile = dir.resolve("tokenizer_config.json");
        Path jinjaFile = dir.resolve("chat_template.jinja");
        Optional<Json> config = Files.exists(configFile)
                ? Optional.of(Json.parse(Json.readFile(configFile), configFile.toString()))
                : Optional.empty();
        Map<String, String> tokens = new HashMap<>();
        for (String key : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
            config.flatMap(json -> json.find(key)).ifPresent(token -> tokens.put(key, tokenText(token)));
        }
        if (Files.exists(jinjaFile)) {
            return Optional.of(new ChatTemplate(new String(Json.readFile(jinjaFile), StandardCharsets.UTF_8),
                    jinjaFile.toString(), tokens));
        }
        return config.flatMap(json -> json.find("chat_template"))
                .map(template -> new ChatTemplate(chosen(template), configFile + " (chat_template)", tokens));
    }

    /**
     * A template from its Jinja text.
     *
     * @param tokens what the template may call by name, such as {@code bos_token}
     */
    public static ChatTemplate of(String source, Map<String, String> tokens) {
        return new ChatTemplate(source, "the template", tokens);
    }

    /** ChatML: {@code <|im_start|>role\ncontent<|im_end|>\n} for each message. */
    public static ChatTemplate chatMl() {
        return new ChatTemplate(CHAT_ML, "ChatML", Map.of());
    }

    /** The Jinja text. */
    public String source() {
        return source;
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

    /** The conversation as text, with further values that the template may ask for, such as {@code enable_thinking}. */
    public String render(List<Message> messages, boolean addGenerationPrompt, Map<String, Object> options) {
        List<Map<String, String>> rows = new ArrayList<>();
        for (Message message : messages) {
            rows.add(Map.of("role", message.role(), "content", message.content()));
        }
        Map<String, Object> values = new HashMap<>(tokens);
        values.putAll(options);
        values.put("messages", rows);
        values.put("add_generation_prompt", addGenerationPrompt);
        RenderResult result;
        try {
            // Jinja drops one line end at the end of a template.
            result = jinja.renderForResult(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source,
                    values);
        } catch (RuntimeException | StackOverflowError e) {
            throw new TokenizerException(
                    "expected a template that renders, found " + e + " in " + name + "; it is not supported", e);
        }
        if (!result.getErrors().isEmpty()) {
            TemplateError error = result.getErrors().getFirst();
            throw new TokenizerException(
                    "expected a template that renders this conversation, found \"" + reason(error) + "\" in " + name
                            + ":"
                            + Math.max(1, error.getLineno()) + "; change the conversation or the template",
                    error.getException());
        }
        return result.getOutput();
    }

    /** What went wrong at the bottom: the engine wraps what a function threw. */
    private static String reason(TemplateError error) {
        Throwable deepest = error.getException();
        while (deepest != null && deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        return deepest instanceof ELException && deepest.getMessage() != null
                ? deepest.getMessage()
                : error.getMessage();
    }

    /** Called by templates that do not accept a conversation. */
    public static Object raiseException(String message) {
        throw new ELException("the template says: " + message);
    }

    /** A token in tokenizer_config.json: its text, or an object that holds it. */
    static String tokenText(Json value) {
        return value.node().isObject() ? value.get("content").string() : value.string();
    }

    private static String chosen(Json template) {
        if (!template.node().isArray()) {
            return template.string();
        }
        for (Json named : template.items()) {
            JsonNode key = named.get("name").node();
            if (Objects.equals(key.textValue(), "default")) {
                return named.get("template").string();
            }
        }
        throw template.expected("a template named default among several");
    }

    /** Stands for a filter that is missing or differs from Jinja's: an error if it is ever reached. */
    private record Refused(String getName) implements Filter {
        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... args) {
            throw new ELException("the filter " + getName + " is not supported");
        }
    }
}
