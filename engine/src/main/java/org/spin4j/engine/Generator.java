package org.spin4j.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import org.spin4j.kernels.Kernels;

/**
 * Samples continuations of many prompts at once. A sample that ends gives its place to the next prompt; a long prompt is read piece
 * by piece while the samples of others go on; a prompt is read once for all its candidates. Each sample draws from a random stream of its
 * own and every kernel computes a row alone, so a sample depends on neither its neighbours nor the number of streams.
 */
public final class Generator {
    /**
     * A prompt to be continued.
     *
     * @param number names the random streams of its samples: candidate c draws from stream number · candidates + c
     * @param prompt token ids, at least one
     */
    public record Request(long number, int[] prompt) {}

    /** Told what happens, on the thread that asked for it. What it throws ends the work. */
    public interface Listener {
        /** A further sample of {@code request} begins; the answer is told each of its tokens, and ends it where it says true. */
        default IntPredicate begins(Request request, int candidate) {
            return id -> false;
        }

        /** All candidates of a request have ended. */
        void finished(Request request, List<Sample> samples);

        /** A pass is over, which added so many tokens to samples. */
        default void passed(int tokens) {}
    }

    /** A prompt and its samples under way: while the prompt is read there is one stream, then one for each sample. */
    private static final class Group {
        final Request request;
        final List<Draft> drafts = new ArrayList<>();
        final List<KvCache.Stream> streams = new ArrayList<>();
        boolean reading = true;

        Group(Request request, KvCache.Stream stream) {
            this.request = request;
            streams.add(stream);
        }

        boolean finished() {
            return drafts.stream().allMatch(Draft::finished);
        }
    }

    private final Decoder model;
    private final Kernels kernels;

    /** A generator for a model whose weights do not change while it runs. */
    public Generator(Decoder model, Kernels kernels) {
        this.model = model;
        this.kernels = kernels;
    }

    /**
     * Continues each prompt.
     *
     * @param prompts token ids, at least one each
     * @param seed    same seed, same samples
     * @param done    told the number of finished prompts now and then
     * @return the candidates of each prompt side by side, in the order of the prompts
     */
    public List<Sample> generate(List<int[]> prompts, Sampling sampling, long seed, IntConsumer done) {
        prompts.forEach(prompt -> Draft.room(prompt, sampling, model.config()));
        Sample[] samples = new Sample[Math.multiplyExact(prompts.size(), sampling.candidates())];
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            requests.add(new Request(i, prompts.get(i)));
        }
        generate(requests.iterator(), sampling, seed, new Listener() {
            private int finished;

            @Override
            public void finished(Request request, List<Sample> candidates) {
                for (int c = 0; c < candidates.size(); c++) {
                    samples[(int) request.number() * sampling.candidates() + c] = candidates.get(c);
                }
                finished++;
            }

            @Override
            public void passed(int tokens) {
                done.accept(finished);
            }
        });
        return List.of(samples);
    }

    /**
     * Continues each prompt as it comes.
     *
     * @param requests asked for the next prompt when there is a place for it
     * @param seed     same seed, same samples
     */
    public void generate(Iterator<Request> requests, Sampling sampling, long seed, Listener listener) {
        if (!requests.hasNext()) {
            return;
        }
        TokenChoice choice = new TokenChoice(sampling);
        try (CachedDecoder decoder = new CachedDecoder(model, kernels)) {
            List<Group> groups = new ArrayList<>();
            while (requests.hasNext() || !groups.isEmpty()) {
                while (requests.hasNext() && hasPlace(groups, sampling)) {
                    Group group = new Group(requests.next(), decoder.stream());
                    begin(group, sampling, seed, listener);
                    groups.add(group);
                }
                int tokens = pass(decoder, groups, choice);
                for (Group group : List.copyOf(groups)) {
                    if (group.finished()) {
                        groups.remove(group);
                        listener.finished(group.request, group.drafts.stream().map(Draft::sample).toList());
                    }
                }
                listener.passed(tokens);
            }
        }
    }

    private static boolean hasPlace(List<Group> groups, Sampling sampling) {
        long growing = groups.stream().flatMap(group -> group.drafts.stream()).filter(d -> !d.finished()).count();
        return groups.isEmpty() || growing + sampling.candidates() <= sampling.streams();
    }

    private void begin(Group group, Sampling sampling, long seed, Listener listener) {
        int[] prompt = group.request.prompt();
        int room = Draft.room(prompt, sampling, model.config());
        for (int c = 0; c < sampling.candidates(); c++) {
            RandomStream random = RandomStream.of(seed, "sample", group.request.number() * sampling.candidates() + c);
            group.drafts.add(new Draft(prompt, sampling, random, listener.begins(group.request, c), room));
        }
    }

    /** One pass over the next token of every sample and the next piece of prompts; returns the number of tokens chosen. */
    private static int pass(CachedDecoder decoder, List<Group> groups, TokenChoice choice) {
        List<CachedDecoder.Piece> pieces = new ArrayList<>();
        List<Draft> drafts = new ArrayList<>();
        List<Group> read = new ArrayList<>();
        int left = CachedDecoder.MOST_PROMPT_TOKENS;
        for (Group group : groups) {
            if (group.reading) {
                int[] prompt = group.request.prompt();
                KvCache.Stream stream = group.streams.getFirst();
                int from = stream.length();
                int to = Math.min(prompt.length, from + left);
                left -= to - from;
                boolean end = to == prompt.length;
                if (to > from) {
                    pieces.add(new CachedDecoder.Piece(stream, prompt, from, to, end ? group.drafts.size() : 0));
                }
                if (end) {
                    drafts.addAll(group.drafts);
                    read.add(group);
                }
            } else {
                for (int c = 0; c < group.drafts.size(); c++) {
                    Draft draft = group.drafts.get(c);
                    if (!draft.finished()) {
                        pieces.add(new CachedDecoder.Piece(group.streams.get(c), draft.ids(), draft.count() - 1,
                                draft.count(), 1));
                        drafts.add(draft);
                    }
                }
            }
        }
        Tape tape = decoder.tape();
        Tensor logits = decoder.logits(tape, pieces);
        if (logits != null) {
            choice.next(tape, logits, drafts);
        }
        for (Group group : read) {
            group.reading = false;
            for (int c = 1; c < group.drafts.size(); c++) {
                group.streams.add(group.streams.getFirst().fork());
            }
        }
        for (Group group : groups) {
            for (int c = 0; c < group.streams.size() && !group.reading; c++) {
                if (group.drafts.get(c).finished()) {
                    group.streams.get(c).truncate(0);
                }
            }
        }
        return drafts.size();
    }
}
