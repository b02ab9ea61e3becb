package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.Message;
import org.spin4j.tokenizer.Tokenizer;
import org.spin4j.tokenizer.TokenizerException;

/** Conversations as training rows: the same prompt in training and in generation, and what is learnt of it. */
class TextDataTest {
    private static final List<Message> TALK = List.of(new Message("user", "one two"), new Message("assistant", "three"),
            new Message("user", "four"), new Message("assistant", "five six"));

    @TempDir
    private Path dir;
    private DecoderConfig config;
    private Tokenizer tokenizer;

    @BeforeEach
    void makeModel() {
        Tokenizer trained = BpeTrainer.train(List.of("one two three four five six", "user assistant"),
                new BpeTrainer.Config(280, 1, List.of("<|im_start|>", "<|im_end|>")));
        tokenizer = trained.withSpecial(null, "<|im_end|>", "<|im_end|>");
        tokenizer.saveFolder(dir.resolve("model"), Optional.empty());
        config = DecoderConfig.llama(tokenizer.vocabSize(), 16, 1, 2, 1, 32, 96, true).withTokens(OptionalInt.empty(),
                List.of(tokenizer.eosId().orElseThrow()), OptionalInt.empty());
    }

    private TextData open(String template) {
        return TextData.open(
                ModelText.of(dir.resolve("model"), Optional.empty(), Optional.ofNullable(template)), config, 96, 64);
    }

    @Test
    void promptsAreTheSameInTrainingAndGeneration() {
        TextData text = open("chatml");
        int[] asked = text.prompt(new Row.Chat(TALK.subList(0, 3)));
        assertThat(text.response(new Row.Conversation(new Row.Chat(TALK))).prompt()).isEqualTo(asked);
        int[] whole = text.sequence(new Row.Conversation(new Row.Chat(TALK)), true).ids();
        assertThat(Arrays.copyOf(whole, asked.length)).isEqualTo(asked);
        int[] first = text.prompt(new Row.Chat(TALK.subList(0, 1)));
        assertThat(Arrays.copyOf(whole, first.length)).isEqualTo(first);
        assertThat(text.pair(new Row.Pair(new Row.Chat(TALK.subList(0, 3)), new Row.Chat(TALK.subList(3, 4)),
                new Row.Chat(TALK.subList(1, 2)))).prompt()).isEqualTo(asked);
    }

    @Test
    void allTurnsOfTheAssistantAreLearntWhereAskedFor() {
        TextData text = open("chatml");
        Row row = new Row.Conversation(new Row.Chat(TALK));
        assertThat(learnt(text.sequence(row, false))).isEqualTo("five six<|im_end|>");
        assertThat(learnt(text.sequence(row, true))).isEqualTo("three<|im_end|>five six<|im_end|>");
    }

    @Test
    void aTurnThatTheTemplateLeavesOpenGetsAnEnd() throws IOException {
        Path open = Files.writeString(dir.resolve("open.jinja"),
                "{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}{% if add_generation_prompt %}a:{% endif %}");
        assertThat(learnt(open(open.toString()).sequence(new Row.Conversation(new Row.Chat(TALK)), true)))
                .isEqualTo("three;five six;<|im_end|>");
    }

    /** Pairs that SPIN wrote, given to it again: by their ids, and by their text where another program kept only that. */
    @Test
    void aResponseCutByLengthIsNotTaughtAnEnd() throws IOException {
        TextData text = open("chatml");
        int end = tokenizer.eosId().orElseThrow();
        String user = "{\"role\":\"user\",\"content\":\"one\"},";
        String conversations = "\"real\":[" + user + "{\"role\":\"assistant\",\"content\":\"two\"}],\"generated\":["
                + user + "{\"role\":\"assistant\",\"content\":\"three\"}]";
        Path rows = Files.write(dir.resolve("pairs.jsonl"),
                List.of("{\"prompt_ids\":[5],\"real_ids\":[6," + end + "],\"generated_ids\":[7,8]}",
                        "{" + conversations + ",\"finish_reason\":\"length\"}",
                        "{" + conversations + ",\"finish_reason\":\"stop\"}"));
        List<Examples.Pair> pairs = JsonLines.readAll(rows, line -> text.pair((Row.Pair) RowParser.spin(line)));
        assertThat(pairs.get(0).rejected()).containsExactly(7, 8);
        assertThat(tokenizer.decode(pairs.get(1).chosen(), false)).isEqualTo("two<|im_end|>");
        assertThat(tokenizer.decode(pairs.get(1).rejected(), false)).isEqualTo("three");
        assertThat(tokenizer.decode(pairs.get(2).rejected(), false)).isEqualTo("three<|im_end|>");
    }

    @Test
    void toolsReachTheTemplate() throws IOException {
        Path file = Files.writeString(dir.resolve("tools.jinja"),
                "{{ tools[0].name }}{{ mood }}{{ messages[0].content }}");
        Path rows = Files.writeString(dir.resolve("rows.jsonl"),
                "{\"messages\":[{\"role\":\"user\",\"content\":\"one\"}],"
                        + "\"tools\":[{\"name\":\"two\"}],\"chat_template_kwargs\":{\"mood\":\"six\"}}");
        Row.Prompt prompt = JsonLines.readAll(rows, RowParser::generate).getFirst();
        TextData text = open(file.toString());
        assertThat(text.text(text.prompt(prompt.prompt()))).isEqualTo("twosixone");
    }

    @Test
    void aModelIsSavedWithTheTemplateItWasTaughtBy() throws IOException {
        try (Decoder model = Decoder.random(config, DType.F32, 7)) {
            model.save(dir.resolve("start"), "F32", dir.resolve("model"));
        }
        Path rows = Files.writeString(dir.resolve("rows.jsonl"),
                ("{\"messages\":[{\"role\":\"user\",\"content\":\"one\"},"
                        + "{\"role\":\"assistant\",\"content\":\"two\"}]}\n").repeat(2));
        TrainConfig run = TrainConfig.defaults().with("model=" + dir.resolve("start"), "train_data=" + rows,
                "output_dir=" + dir.resolve("run"), "max_steps=1", "max_length=96", "max_prompt_length=64",
                "chat_template=zephyr", "assistant_only_loss=true");
        TrainingRun.Outcome outcome;
        try (Interrupt interrupt = new Interrupt()) {
            outcome = TrainingRun.run(Method.SFT, run, false, Backends.choose("auto", 1), new Progress(true),
                    interrupt);
        }
        assertThat(ChatTemplate.load(outcome.model()).source())
                .isEqualTo(ChatTemplate.choose("zephyr", dir).source());
        assertThat(Tokenizer.load(outcome.model()).vocabSize()).isEqualTo(tokenizer.vocabSize());
        assertThatThrownBy(() -> open("zephir")).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("found zephir");
    }

    private String learnt(Examples.Sequence sequence) {
        int[] ids = java.util.stream.IntStream.range(0, sequence.ids().length)
                .filter(i -> sequence.labels()[i] != Row.Labelled.NO_LOSS).map(i -> sequence.ids()[i]).toArray();
        return tokenizer.decode(ids, false);
    }
}
