package org.spin4j.training.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.spin4j.engine.Conversation;
import org.spin4j.engine.Decoder;
import org.spin4j.training.ModelText;
import org.spin4j.training.TextData;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Talks with a model. */
@Command(name = "chat", description = {"Talks with a model in the terminal, or with the lines of standard input.", "",
        "The model is asked with the chat template it was trained with. Ctrl-C ends an answer; at the prompt, the chat."}, footer = {
                "", "Example:", "  spin4j chat --model runs/spin/iteration-2/model --system \"Answer briefly.\""})
final class ChatCommand implements Callable<Integer> {
    private static final double TEMPERATURE = 0.7;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOption model;

    @Option(names = "--tokenizer", paramLabel = "PATH", description = "Its folder or file (default: the model's).")
    private Path tokenizer;

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told before the conversation.")
    private String system;

    @Option(names = "--stats", description = "Say after each answer how long it took.")
    private boolean stats;

    @Mixin
    private SamplingOptions options;

    @Mixin
    private TemplateOption template;

    @Mixin
    private Weights weights;

    @Mixin
    private Machine machine;

    @Override
    public Integer call() {
        Spin4j.quietLog();
        // The other core would be idle meanwhile.
        CompletableFuture<ModelText> opened = CompletableFuture.supplyAsync(
                () -> ModelText.of(model.path(), Optional.ofNullable(tokenizer), template.chosen()));
        try (Decoder decoder = weights.load(model.path());
                Conversation conversation = new Conversation(decoder, machine.kernels());
                ChatInput input = ChatInput.open()) {
            TextData text = TextData.open(result(opened), decoder.config(), Integer.MAX_VALUE, Integer.MAX_VALUE);
            Chat chat = new Chat(conversation, decoder.config(), text, options.sampling(text, TEMPERATURE, 1, 1),
                    options.stops(text), options.seed(), Optional.ofNullable(system), stats,
                    spec.commandLine().getOut(), input instanceof ChatInput.Person);
            input.onInterrupt(chat::stop);
            chat.welcome();
            while (input.read().map(chat::take).orElse(false)) {
                // take() has done what the line asked for
            }
        }
        return 0;
    }

    private static ModelText result(CompletableFuture<ModelText> opened) {
        try {
            return opened.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException refused ? refused : e;
        }
    }
}
