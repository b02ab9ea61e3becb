package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.RandomStream;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;
import org.spin4j.training.Row;
import org.spin4j.training.RunContext;
import org.spin4j.training.TextData;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.judge.PromptFilter;
import org.spin4j.training.judge.PromptTemplate;

/**
 * New prompts, made up by a model that is shown a few: some of the instruction data, some that were made up before (Self-Instruct,
 * Wang et al. 2023, arXiv 2212.10560; Self-Rewarding, section 2.2, step 1). One that is too much like an earlier one, too short, too
 * long or asks for what text cannot do is refused, and the refusals are counted.
 *
 * @param prompts what was accepted, in order
 * @param refused how many were refused, by the reason
 */
record NewPrompts(List<String> prompts, Map<String, Integer> refused) {
    /** Names in the stage's folder. */
    static final String FILE = "prompts.jsonl";
    static final String REFUSED = "refused.jsonl";

    private static final String WORDS = """
            Below are requests that people made of an assistant, one after another, each after a number. Write one more request of \
            the same kind, about something else. Write the request alone: no number, no answer.

            {{ examples }}""";
    /** Most and fewest requests between two looks at what was accepted, so that prompts just made can be examples soon. */
    private static final int MOST_AT_ONCE = 128;
    private static final int FEWEST_AT_ONCE = 64;
    /** A model of which fewer than one answer in so many can be used makes no prompts. */
    private static final int MOST_REQUESTS_PER_PROMPT = 25;
    private static final Pattern NUMBER = Pattern.compile("^(?:(?:request|task|prompt)\\s*)?#?\\d{1,3}[.:)]\\s+",
            Pattern.CASE_INSENSITIVE);

    /** The template that asks for a new prompt, with the place {@code {{ examples }}}. */
    static PromptTemplate template(TrainConfig config) {
        return config.promptTemplate().map(file -> PromptTemplate.read(file, List.of("examples")))
                .orElseGet(() -> PromptTemplate.of(WORDS, List.of("examples"), "the built-in prompt"));
    }

    /**
     * The prompts of an iteration, from the stage where it is there already.
     *
     * @param data      whose prompts are the examples
     * @param earlier   prompts that earlier iterations made
     * @param inputs    fingerprints of the model and of all that the prompts depend on besides
     */
    static NewPrompts of(RunContext context, String stage, Decoder model, SelfReward.Data data, List<String> earlier,
            Map<String, String> inputs) {
        Path folder = context.run().stage(stage, context.inputs(inputs),
                temporary -> new Maker(context, stage, model, data, earlier).make(temporary));
        NewPrompts prompts = new NewPrompts(
                JsonLines.readAll(folder.resolve(FILE), line -> line.object().path("prompt").asText()),
                refusals(folder.resolve(REFUSED)));
        context.progress().say(String.format("%s: %,d accepted; refused: %s", stage, prompts.prompts().size(),
                prompts.refused().isEmpty()
                        ? "none"
                        : prompts.refused().entrySet().stream().map(e -> e.getValue() + " " + e.getKey())
                                .collect(Collectors.joining(", "))));
        return prompts;
    }

    /** How many prompts were refused, by the reason. */
    static Map<String, Integer> refusals(Path file) {
        Map<String, Integer> refused = new TreeMap<>();
        JsonLines.readAll(file, line -> refused.merge(line.object().path("reason").asText(), 1, Integer::sum));
        return refused;
    }

    /** What a new prompt must keep to. */
    static PromptFilter.Limits limits(TrainConfig config) {
        if (config.minPromptWords() > config.maxPromptWords()) {
            throw BadInputException.of(
                    "expected min_prompt_words <= max_prompt_words (%d), found %d; change one of them",
                    config.maxPromptWords(), config.minPromptWords());
        }
        return new PromptFilter.Limits(config.maxRougeL(), config.minPromptWords(), config.maxPromptWords(),
                config.promptKeywords().map(NewPrompts::keywords)
                        .orElse(PromptFilter.Limits.SELF_INSTRUCT.keywords()));
    }

    private static List<String> keywords(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(String::strip).filter(line -> !line.isEmpty()).toList();
        } catch (IOException | UncheckedIOException e) {
            throw new BadInputException(
                    "expected a UTF-8 text of words for prompt_keywords, found none at " + file + "; check the path",
                    e);
        }
    }

    /** Prompts as the list that stands in the request for one more. */
    static String numbered(List<String> prompts) {
        return IntStream.range(0, prompts.size()).mapToObj(i -> (i + 1) + ". " + prompts.get(i))
                .collect(Collectors.joining("\n"));
    }

    /** What is left of an answer when a number that the model put before it all the same is taken away. */
    static String clean(String answer) {
        return NUMBER.matcher(answer.strip()).replaceFirst("").strip();
    }

    /** The work of one stage. */
    private static final class Maker {
        private final RunContext context;
        private final TrainConfig config;
        private final String stage;
        private final Decoder model;
        private final TextData text;
        private final List<String> seeds;
        private final List<String> made;
        private final int before;
        private final PromptTemplate template;
        private final PromptFilter filter;
        private final long seed;
        private final List<ObjectNode> accepted = new ArrayList<>();
        private final List<ObjectNode> refused = new ArrayList<>();

        Maker(RunContext context, String stage, Decoder model, SelfReward.Data data, List<String> earlier) {
            this.context = context;
            this.config = context.config();
            this.stage = stage;
            this.model = model;
            this.text = data.text();
            this.seeds = data.seeds();
            this.made = new ArrayList<>(earlier);
            this.before = earlier.size();
            this.template = template(config);
            List<String> known = new ArrayList<>(seeds);
            known.addAll(data.keptAway());
            known.addAll(earlier);
            this.filter = new PromptFilter(limits(config), known);
            this.seed = RandomStream.of(config.seed(), stage, 0).nextLong();
        }

        void make(Path folder) {
            long asked = 0;
            long most = (long) config.newPrompts() * MOST_REQUESTS_PER_PROMPT;
            try (Progress.Task task = context.progress().start(stage, "prompts", config.newPrompts())) {
                while (made.size() - before < config.newPrompts() && asked < most) {
                    int missing = config.newPrompts() - made.size() + before;
                    int requests = Math.clamp(2L * missing, FEWEST_AT_ONCE, MOST_AT_ONCE);
                    round(asked, requests);
                    asked += requests;
                    task.to(made.size() - before, 0, "");
                }
            }
            int found = made.size() - before;
            if (found == 0) {
                throw BadInputException.of("expected new prompts, found none in %d answers (the first was: %s); "
                        + "raise max_rouge_l, change prompt_template, or use a model that can follow it", asked,
                        refused.getFirst().path("reason").asText());
            }
            if (found < config.newPrompts()) {
                context.progress()
                        .say(String.format("%s: %,d of %,d prompts; %,d answers brought no more", stage, found,
                                config.newPrompts(), asked));
            }
            JsonLines.writeAll(folder.resolve(FILE), accepted);
            JsonLines.writeAll(folder.resolve(REFUSED), refused);
        }

        private void round(long from, int requests) {
            List<int[]> prompts = new ArrayList<>();
            for (long i = from; i < from + requests; i++) {
                prompts.add(text.prompt(new Row.Chat(List.of(new Message("user", request(i))))));
            }
            Sampling sampling = Sampling.pure(config.promptMaxNewTokens(), new HashSet<>(text.endIds()),
                    config.generationBatchSize()).with(config.promptTemperature(), 0, config.promptTopP());
            List<Sample> answers = new Generator(model, context.kernels()).generate(prompts, sampling,
                    RandomStream.of(seed, "new prompts", from).nextLong(), n -> context.stopIfAsked(stage));
            for (Sample answer : answers) {
                if (made.size() - before < config.newPrompts()) {
                    consider(answer);
                }
            }
        }

        private void consider(Sample answer) {
            String prompt = clean(text.text(answer.ids()));
            Optional<String> reason = answer.finish() == Sample.Finish.STOP
                    ? filter.offer(prompt).map(PromptFilter.Refusal::toString)
                    : Optional.of("unfinished");
            ObjectNode row = JsonLines.JSON.createObjectNode().put("prompt", prompt);
            if (reason.isPresent()) {
                refused.add(row.put("reason", reason.get()));
            } else {
                made.add(prompt);
                accepted.add(row);
            }
        }

        /** Examples drawn without repetition, in random order. */
        private String request(long number) {
            RandomStream random = RandomStream.of(seed, "examples of new prompts", number);
            List<String> examples = new ArrayList<>(drawn(seeds, config.seedShots(), random));
            // While there are too few new ones, prompts of the data stand in their place.
            int fromMade = Math.min(config.generatedShots(), made.size());
            examples.addAll(drawn(made, fromMade, random));
            examples.addAll(drawn(seeds, config.generatedShots() - fromMade, random));
            List<String> shuffled = Arrays.stream(random.permutation(examples.size())).mapToObj(examples::get).toList();
            return template.render(Map.of("examples", numbered(shuffled)));
        }

        private static List<String> drawn(List<String> from, int count, RandomStream random) {
            int[] places = random.permutation(from.size());
            return Arrays.stream(places).limit(count).mapToObj(from::get).toList();
        }
    }
}
