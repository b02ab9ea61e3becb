package org.spin4j.training;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.Message;
import org.spin4j.tokenizer.Tokenizer;

/**
 * What a demo's model is before it has learnt anything: a tokenizer of single characters with a chat template, and a small Llama
 * for it.
 *
 * @param tokenizer folder of the tokenizer
 * @param config    the model's
 * @param text      data for the model
 */
public record DemoModel(Path tokenizer, DecoderConfig config, TextData text) {
    /**
     * The shape of a model.
     *
     * @param hiddenSize       width
     * @param layers           depth
     * @param heads            heads of attention
     * @param intermediateSize width inside the feed-forward layers
     * @param positions        longest sequence
     */
    public record Shape(int hiddenSize, int layers, int heads, int intermediateSize, int positions) {}

    private static final String END = "<|end|>";
    private static final String USER = "<|user|>";
    private static final String ASSISTANT = "<|assistant|>";
    private static final String TEMPLATE = "{% for m in messages %}{% if m['role'] == 'user' %}" + USER
            + "{{ m['content'] }}{% else %}" + ASSISTANT + "{{ m['content'] }}" + END
            + "{% endif %}{% endfor %}{% if add_generation_prompt %}" + ASSISTANT + "{% endif %}";
    /** 256 bytes and the special tokens: letters stay letters, which spelling tasks need. */
    private static final int VOCABULARY = 256 + 3;

    /**
     * A model for texts like these; a tokenizer that is in the folder already is taken as it is.
     *
     * @param maxPromptLength longest prompt, in tokens
     */
    public static DemoModel make(Path tokenizer, List<String> texts, Shape shape, int maxPromptLength) {
        if (!Files.exists(tokenizer.resolve("tokenizer_config.json"))) {
            Tokenizer trained = BpeTrainer.train(texts,
                    new BpeTrainer.Config(VOCABULARY, 2, List.of(END, USER, ASSISTANT)));
            trained.withSpecial(null, END, END).saveFolder(tokenizer, Optional.of(ChatTemplate.of(TEMPLATE, Map.of())));
        }
        Tokenizer t = Tokenizer.load(tokenizer);
        int end = t.eosId().orElseThrow();
        DecoderConfig config = DecoderConfig.llama(t.vocabSize(), shape.hiddenSize(), shape.layers(), shape.heads(),
                shape.heads(), shape.intermediateSize(), shape.positions(), true).withTokens(OptionalInt.empty(),
                        List.of(end), OptionalInt.of(end));
        return new DemoModel(tokenizer, config,
                TextData.open(ModelText.of(tokenizer), config, shape.positions(), maxPromptLength));
    }

    /** A turn of the user and the answer to it. */
    public Examples.Response example(String prompt, String answer) {
        return text.response(new Row.Conversation(new Row.Chat(List.of(new Message("user", prompt),
                new Message("assistant", answer)))));
    }

    /** The same to be learnt. */
    public Examples.Sequence sequence(String prompt, String answer) {
        Examples.Response r = example(prompt, answer);
        return Examples.Sequence.of(r.prompt(), r.response());
    }
}
