package org.spin4j.training.selfreward;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Fingerprint;
import org.spin4j.training.ModelText;
import org.spin4j.training.Progress;
import org.spin4j.training.Spelling;
import org.spin4j.training.TextData;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;
import org.spin4j.training.hub.Hub;
import org.spin4j.training.judge.EndpointJudge;
import org.spin4j.training.judge.EndpointSettings;
import org.spin4j.training.judge.Judge;
import org.spin4j.training.judge.JudgePrompt;
import org.spin4j.training.judge.JudgeQuestions;
import org.spin4j.training.judge.ModelJudge;
import org.spin4j.training.judge.PairJudge;
import org.spin4j.training.judge.PairPrompt;
import org.spin4j.training.judge.ScorePattern;
import org.spin4j.training.judge.VerifierJudge;

/** Who judges in a run, as the key {@code judge} says. A judge that is not the model itself is opened once and kept. */
final class Judging implements AutoCloseable {
    /** Who gives scores, and who compares two responses. */
    record Judges(Judge scores, PairJudge pairs) {}

    private enum Kind {
        SELF, CHECKPOINT, ENDPOINT, VERIFIER
    }

    private final Kernels kernels;
    private final TrainConfig config;
    private final TextData text;
    private final JudgeQuestions questions;
    private final Kind kind;
    private final Map<String, String> inputs = new TreeMap<>();
    private final Optional<Decoder> checkpoint;
    /** The judge that is always the same; none where the model judges itself. */
    private final Optional<Judge> other;

    /**
     * Opens the judge of a configuration.
     *
     * @param text of the model that is trained
     * @throws BadInputException if there is no such judge, or what it needs is missing
     */
    Judging(Kernels kernels, TrainConfig config, TextData text, Progress progress) {
        this.kernels = kernels;
        this.config = config;
        this.text = text;
        this.questions = new JudgeQuestions(
                config.judgeTemplate().map(JudgePrompt::read).orElseGet(JudgePrompt::additive), ScorePattern.ADDITIVE,
                config.pairTemplate().map(PairPrompt::read).orElseGet(PairPrompt::sideBySide));
        inputs.put("judge prompt", Fingerprint.of(questions.pointwise() + "\n" + questions.pairwise()));
        int colon = config.judge().indexOf(':');
        String name = colon < 0 ? config.judge() : config.judge().substring(0, colon);
        String detail = colon < 0 ? "" : config.judge().substring(colon + 1);
        this.kind = kind(name, detail);
        Optional<Path> folder = kind == Kind.CHECKPOINT
                ? Optional.of(Hub.local(Path.of(detail), Hub.Part.MODEL, progress))
                : Optional.empty();
        this.checkpoint = folder.map(Decoder::loadFrozen);
        this.other = switch (kind) {
            case SELF -> Optional.empty();
            case CHECKPOINT -> Optional.of(judge(checkpoint.orElseThrow(), TextData.open(
                    ModelText.of(folder.orElseThrow()), checkpoint.orElseThrow().config(), config.maxLength(),
                    config.maxPromptLength())));
            case ENDPOINT -> Optional.of(endpoint(detail));
            case VERIFIER -> Optional.of(verifier(detail));
        };
        inputs.put("judge", folder.map(TrainingRun::fingerprint).orElse(config.judge()));
    }

    private Kind kind(String name, String detail) {
        List<String> known = List.of("self", "checkpoint", "endpoint", "verifier");
        if (!known.contains(name) || name.equals("self") != detail.isEmpty()) {
            throw BadInputException.of(
                    "expected self, checkpoint:DIR, endpoint:URL or verifier:KIND for judge, found '%s'; the nearest is %s",
                    BadInputException.excerpt(config.judge()), Spelling.nearest(name, known).orElseThrow());
        }
        return Kind.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private Sampling sampling(TextData of) {
        return Sampling.pure(config.judgeMaxNewTokens(), new HashSet<>(of.endIds()), config.generationBatchSize())
                .with(config.judgeTemperature(), 0, config.judgeTopP());
    }

    private ModelJudge judge(Decoder model, TextData of) {
        return new ModelJudge(model, kernels, of, sampling(of), questions);
    }

    private EndpointJudge endpoint(String address) {
        Map<String, String> environment = System.getenv();
        String variable = config.judgeKeyVariable();
        EndpointSettings usual = EndpointSettings.of(address, config.judgeModel(),
                environment.containsKey(variable) ? variable : "", environment);
        inputs.put("judge_model", config.judgeModel());
        return new EndpointJudge(new EndpointSettings(usual.base(), usual.model(), usual.key(),
                config.judgeTemperature(), config.judgeTopP(), config.judgeMaxNewTokens(), config.judgeConcurrency(),
                usual.timeout(), usual.tries(), usual.pause()), questions);
    }

    private VerifierJudge verifier(String name) {
        VerifierJudge.Kind verifier;
        try {
            verifier = VerifierJudge.Kind.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new BadInputException("expected exact, table or number after verifier: for judge, found '"
                    + BadInputException.excerpt(name) + "'; write for instance judge=verifier:exact", e);
        }
        Path data = config.require("judge_data");
        if (!Files.isRegularFile(data)) {
            throw BadInputException.of(
                    "expected a file of right answers for judge_data, found none at %s; check the path",
                    data);
        }
        inputs.put("judge_data", Fingerprint.of(data));
        return VerifierJudge.read(verifier, data, ScorePattern.ADDITIVE);
    }

    /** Whether the model in training judges itself. */
    boolean bySelf() {
        return kind == Kind.SELF;
    }

    /** What judges are asked. */
    JudgeQuestions questions() {
        return questions;
    }

    /** Fingerprints of what judgements depend on besides the model in training. */
    Map<String, String> inputs() {
        return inputs;
    }

    /**
     * The judges beside a model.
     *
     * @param model judges itself, where the run is such; its weights do not change while it judges
     */
    Judges of(Decoder model) {
        Judge scores = other.orElseGet(() -> judge(model, text));
        PairJudge pairs = config.pairwise() == TrainConfig.Pairwise.PROMPT && scores instanceof PairJudge both
                ? both
                : PairJudge.ofScores(scores, config.judgements());
        return new Judges(scores, pairs);
    }

    @Override
    public void close() {
        checkpoint.ifPresent(Decoder::close);
        if (other.orElse(null) instanceof EndpointJudge endpoint) {
            endpoint.close();
        }
    }
}
