package org.spin4j.training.selfreward;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Examples;
import org.spin4j.training.Row;
import org.spin4j.training.RowParser;
import org.spin4j.training.RunContext;
import org.spin4j.training.TextData;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;
import org.spin4j.training.judge.EftBuilder;
import org.spin4j.training.judge.RankedPrompt;

/** Reads what the files of a configuration hold. */
final class SelfRewardData {
    private SelfRewardData() {}

    /** The files that a configuration names besides {@code train_data}, by key; those of the judge are its own business. */
    static Map<String, Path> files(TrainConfig config) {
        Map<String, Path> files = new TreeMap<>();
        config.evalData().ifPresent(file -> files.put("eval_data", file));
        config.eftData().ifPresent(file -> files.put("eft_data", file));
        config.rankedData().ifPresent(file -> files.put("ranked_data", file));
        config.excludedData().ifPresent(file -> files.put("excluded_data", file));
        config.promptTemplate().ifPresent(file -> files.put("prompt_template", file));
        config.promptKeywords().ifPresent(file -> files.put("prompt_keywords", file));
        return files;
    }

    /**
     * Everything the loop works with.
     *
     * @throws BadInputException if a row is of another kind, or there are too few
     */
    static SelfReward.Data read(TrainConfig config, TextData text, int vocab, Judging judging) {
        Path train = config.require("train_data");
        Set<String> seeds = new LinkedHashSet<>();
        List<Examples.Sequence> ift = RunContext.read(train, RowParser::sft, row -> {
            firstTurn(row).ifPresent(seeds::add);
            return checked(text.sequence(row, config.assistantOnlyLoss()), vocab);
        });
        int shots = config.seedShots() + config.generatedShots();
        if (seeds.size() < shots) {
            throw BadInputException.of(
                    "expected at least seed_shots + generated_shots (%d) different first turns of the "
                            + "user in messages, found %d in %s; give more rows {\"messages\":[…]}",
                    shots, seeds.size(), train);
        }
        List<String> away = new ArrayList<>();
        config.excludedData()
                .ifPresent(file -> RunContext.read(file, RowParser::generate, row -> away.add(prompt(row))));
        List<Examples.Response> heldOut = config.evalData()
                .map(file -> RunContext.read(file, RowParser::sft, row -> {
                    firstTurn(row).ifPresent(away::add);
                    return withText(text.response(row), vocab);
                })).orElse(List.of());
        EftBuilder.Split ranked = config.rankedData()
                .map(file -> EftBuilder.split(RankedPrompt.read(file), config.rankedHeldOut(), config.seed()))
                .orElse(new EftBuilder.Split(List.of(), List.of()));
        ranked.heldOut().forEach(row -> away.add(row.prompt().getLast().content()));
        return new SelfReward.Data(ift, List.copyOf(seeds),
                config.eftData().map(file -> sequences(file, text, vocab)).orElse(List.of()), ranked, heldOut, away,
                text,
                judging);
    }

    private static String prompt(Row row) {
        return switch (((Row.Prompt) row).prompt()) {
            case Row.Text text -> text.text();
            case Row.Chat chat -> chat.turns().stream().filter(turn -> turn.role().equals("user")).findFirst()
                    .map(Message::content).orElse("");
            case Row.Ids ids -> throw BadInputException.of(
                    "expected prompts as text or messages, found %d token ids", ids.ids().size());
        };
    }

    /** Rows to be learnt. */
    static List<Examples.Sequence> sequences(Path file, TextData text, int vocab) {
        return RunContext.read(file, RowParser::sft, row -> checked(text.sequence(row, false), vocab));
    }

    /** The user's first turn, where a row is a conversation that begins with one: what new prompts are to be like. */
    private static Optional<String> firstTurn(Row row) {
        if (row instanceof Row.Conversation conversation) {
            Message first = conversation.chat().turns().getFirst();
            return first.role().equals("user") ? Optional.of(first.content().strip()) : Optional.empty();
        }
        throw BadInputException
                .of("expected rows {\"messages\":[…]}, found another kind; new prompts are turns of a user, "
                        + "so write instruction data as conversations");
    }

    private static Examples.Sequence checked(Examples.Sequence row, int vocab) {
        TrainingRun.requireIds(row.ids(), vocab);
        return row;
    }

    private static Examples.Response withText(Examples.Response row, int vocab) {
        TrainingRun.requireIds(row.prompt(), vocab);
        TrainingRun.requireIds(row.response(), vocab);
        if (row.source().isEmpty()) {
            throw BadInputException
                    .of("expected held-out rows {\"messages\":[…]}, found token ids; a judge reads text");
        }
        return row;
    }
}
