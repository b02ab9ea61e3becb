package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Kernels;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.Row;
import org.spin4j.training.TextData;
import org.spin4j.training.TrainingRun;

/**
 * A model of this engine as judge: the one being trained, or any other checkpoint. It is asked through its own chat template, as a user would
 * ask; the prompt of several judgements is computed once. A prompt that is longer than the model can read is not judged: what would be cut
 * away is the question. White space before a judgement, which some templates leave to the model, is not part of it.
 */
public final class ModelJudge implements Judge, PairJudge {
    private final Decoder model;
    private final Kernels kernels;
    private final TextData text;
    private final Sampling sampling;
    private final JudgeQuestions questions;

    /**
     * A judge whose weights do not change while it judges.
     *
     * @param text     of this model
     * @param sampling how judgements are drawn; the number of candidates is that of the judgements asked for
     */
    public ModelJudge(Decoder model, Kernels kernels, TextData text, Sampling sampling, JudgeQuestions questions) {
        this.model = model;
        this.kernels = kernels;
        this.text = text;
        this.sampling = sampling;
        this.questions = questions;
    }

    @Override
    public List<Assessment> judge(List<Judge.Answer> rows, int judgements, long seed, IntConsumer done) {
        return questions.judge(this::write, rows, judgements, seed, done);
    }

    @Override
    public List<Outcome> compare(List<Duel> duels, long seed, IntConsumer done) {
        return questions.compare(this::write, duels, seed, done);
    }

    private List<Optional<List<JudgeQuestions.Text>>> write(List<JudgeQuestions.Asked> prompts, int texts, long seed,
            IntConsumer done) {
        List<Optional<List<JudgeQuestions.Text>>> answers = new ArrayList<>(
                Collections.nCopies(prompts.size(), Optional.empty()));
        // By identity: the numbers of requests are the caller's.
        IdentityHashMap<Generator.Request, Integer> places = new IdentityHashMap<>();
        List<Generator.Request> requests = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            int cuts = text.cuts();
            int[] ids = text.prompt(new Row.Chat(List.of(new Message("user", prompts.get(i).prompt()))));
            if (text.cuts() == cuts) {
                TrainingRun.requireIds(ids, model.config().vocabSize());
                Generator.Request request = new Generator.Request(prompts.get(i).number(), ids);
                requests.add(request);
                places.put(request, i);
            }
        }
        new Generator(model, kernels).generate(requests.iterator(), sampling.withCandidates(texts), seed,
                new Generator.Listener() {
                    private int finished = prompts.size() - requests.size();

                    @Override
                    public void finished(Generator.Request request, List<Sample> samples) {
                        answers.set(places.get(request),
                                Optional.of(samples.stream()
                                        .map(s -> new JudgeQuestions.Text(text.text(s.ids()).stripLeading(),
                                                s.finish() == Sample.Finish.LENGTH))
                                        .toList()));
                        finished++;
                    }

                    @Override
                    public void passed(int tokens) {
                        done.accept(finished);
                    }
                });
        return answers;
    }
}
