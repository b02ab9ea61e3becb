package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntConsumer;
import org.spin4j.engine.RandomStream;

/**
 * A model behind an API in OpenAI's form as judge. Each judgement is a request of its own, several under way at once; the first that
 * fails for good ends the work. The seed goes along with each request, but whether the same seed gives the same judgement is the server's business.
 */
public final class EndpointJudge implements Judge, PairJudge, AutoCloseable {
    private final EndpointClient client;
    private final int concurrency;
    private final JudgeQuestions questions;

    /** A judge at an endpoint; nothing is asked yet. */
    public EndpointJudge(EndpointSettings settings, JudgeQuestions questions) {
        this.client = new EndpointClient(settings);
        this.concurrency = settings.concurrency();
        this.questions = questions;
    }

    @Override
    public List<Assessment> judge(List<Answer> answers, int judgements, long seed, IntConsumer done) {
        return questions.judge(this::write, answers, judgements, seed, done);
    }

    @Override
    public List<Outcome> compare(List<Duel> duels, long seed, IntConsumer done) {
        return questions.compare(this::write, duels, seed, done);
    }

    /** A text that came, and where it belongs. */
    private record Written(int prompt, int place, Optional<JudgeQuestions.Text> text) {}

    private List<Optional<List<JudgeQuestions.Text>>> write(List<JudgeQuestions.Asked> prompts, int texts, long seed,
            IntConsumer done) {
        List<List<Optional<JudgeQuestions.Text>>> written = new ArrayList<>();
        int[] missing = new int[prompts.size()];
        Arrays.fill(missing, texts);
        ExecutorService threads = Executors.newFixedThreadPool(concurrency, Thread.ofVirtual().factory());
        try {
            CompletionService<Written> coming = new ExecutorCompletionService<>(threads);
            for (int p = 0; p < prompts.size(); p++) {
                written.add(new ArrayList<>());
                JudgeQuestions.Asked asked = prompts.get(p);
                for (int t = 0; t < texts; t++) {
                    written.get(p).add(Optional.empty());
                    int prompt = p;
                    int place = t;
                    int random = RandomStream.of(seed, "endpoint", asked.number() * texts + t).nextInt()
                            & Integer.MAX_VALUE;
                    coming.submit(() -> new Written(prompt, place, client.complete(asked.prompt(), random)));
                }
            }
            int finished = 0;
            for (int i = 0; i < prompts.size() * texts; i++) {
                Written one = coming.take().get();
                written.get(one.prompt()).set(one.place(), one.text());
                finished += --missing[one.prompt()] == 0 ? 1 : 0;
                done.accept(finished);
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while judgements were awaited", e);
        } finally {
            threads.shutdownNow();
            threads.close();
        }
        return written.stream().map(all -> all.stream().anyMatch(Optional::isEmpty)
                ? Optional.<List<JudgeQuestions.Text>>empty()
                : Optional.of(all.stream().map(Optional::get).toList())).toList();
    }

    @Override
    public void close() {
        client.close();
    }
}
