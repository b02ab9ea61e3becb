package org.spin4j.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * Samples continuations of many prompts at once over a cache of keys and values. A stream that ends gives its slot to the
 * next prompt. Sample i draws from a random stream of its own and every kernel computes a row alone, so a sample depends on
 * neither its neighbours nor the number of streams.
 */
public final class Generator {
    /** A prompt under way. */
    private static final class Stream {
        final int index;
        final int slot;
        final RandomStream random;
        final int room;
        int[] ids = new int[16];
        double[] logProbs = new double[16];
        int count;
        int position;

        Stream(int index, int slot, RandomStream random, int promptLength, int room) {
            this.index = index;
            this.slot = slot;
            this.random = random;
            this.position = promptLength;
            this.room = room;
        }

        void add(int id, double logProb) {
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, 2 * count);
                logProbs = Arrays.copyOf(logProbs, 2 * count);
            }
            ids[count] = id;
            logProbs[count++] = logProb;
        }

        int last() {
            return ids[count - 1];
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
     * @param done    told the number of finished samples now and then
     * @return one sample per prompt, in order
     */
    public List<Sample> generate(List<int[]> prompts, Sampling sampling, long seed, IntConsumer done) {
        int limit = model.config().maxPositions();
        int longest = 0;
        for (int[] prompt : prompts) {
            if (prompt.length < 1 || prompt.length >= limit) {
                throw new IllegalArgumentException("expected prompts of 1 to " + (limit - 1) + " tokens, found "
                        + prompt.length + "; set max_prompt_length");
            }
            longest = Math.max(longest, prompt.length);
        }
        Sample[] samples = new Sample[prompts.size()];
        int slots = Math.min(sampling.streams(), prompts.size());
        int capacity = Math.min(limit, longest + sampling.maxNewTokens());
        DType type = model.parameters().type();
        model.pack(kernels);
        try (KvCache cache = new KvCache(model, type, slots, Math.max(1, capacity));
                Workspace workspace = new Workspace(type)) {
            Deque<Integer> freeSlots = new ArrayDeque<>();
            for (int s = 0; s < slots; s++) {
                freeSlots.add(s);
            }
            List<Stream> active = new ArrayList<>();
            int next = 0;
            int finished = 0;
            while (finished < samples.length) {
                // New prompts are admitted a few at a time, so that their matrix products have some height.
                if (next < samples.length && (active.isEmpty() || freeSlots.size() >= (slots + 3) / 4)) {
                    List<Stream> admitted = new ArrayList<>();
                    while (next < samples.length && !freeSlots.isEmpty()) {
                        int room = Math.min(sampling.maxNewTokens(), limit - prompts.get(next).length);
                        admitted.add(new Stream(next, freeSlots.poll(), RandomStream.of(seed, "sample", next),
                                prompts.get(next).length, room));
                        next++;
                    }
                    prefill(workspace, cache, prompts, admitted, sampling);
                    active.addAll(admitted);
                } else {
                    step(workspace, cache, active, sampling);
                }
                for (Stream s : List.copyOf(active)) {
                    boolean stop = sampling.stopIds().contains(s.last());
                    if (stop || s.count == s.room) {
                        samples[s.index] = new Sample(Arrays.copyOf(s.ids, s.count), Arrays.copyOf(s.logProbs, s.count),
                                stop ? Sample.Finish.STOP : Sample.Finish.LENGTH);
                        active.remove(s);
                        freeSlots.add(s.slot);
                        finished++;
                    }
                }
                done.accept(finished);
            }
        } finally {
            model.unpack();
        }
        return List.of(samples);
    }

    /** Runs whole prompts as a forest, keeps their keys and values, and chooses each one's first token. */
    private void prefill(Workspace workspace, KvCache cache, List<int[]> prompts, List<Stream> streams,
            Sampling sampling) {
        Tape tape = Tape.inference(kernels, workspace);
        Forest.Builder builder = new Forest.Builder();
        for (Stream s : streams) {
            builder.root(s.position);
        }
        Forest forest = builder.build();
        int[] ids = new int[forest.tokens()];
        int[] last = new int[streams.size()];
        for (int i = 0; i < last.length; i++) {
            System.arraycopy(prompts.get(streams.get(i).index), 0, ids, forest.start(i), forest.length(i));
            last[i] = forest.start(i) + forest.length(i) - 1;
        }
        Tensor hidden = model.forward(tape, ids, forest.positions(), (t, qkv, shape, layer) -> {
            for (int i = 0; i < forest.segments(); i++) {
                cache.fill(layer, shape, qkv.data(), forest.start(i), forest.length(i), streams.get(i).slot);
            }
            return SegmentAttention.apply(t, qkv, shape, forest);
        });
        choose(tape, SelectRows.apply(tape, hidden, last), streams, sampling);
    }

    /** Runs the last token of every stream and chooses the next. */
    private void step(Workspace workspace, KvCache cache, List<Stream> streams, Sampling sampling) {
        int n = streams.size();
        int[] ids = new int[n];
        int[] slots = new int[n];
        int[] positions = new int[n];
        for (int i = 0; i < n; i++) {
            Stream s = streams.get(i);
            ids[i] = s.last();
            slots[i] = s.slot;
            positions[i] = s.position++;
        }
        Tape tape = Tape.inference(kernels, workspace);
        Tensor hidden = model.forward(tape, ids, positions, (t, qkv, shape, layer) -> {
            Tensor out = t.tensor(n, shape.outWidth());
            kernels.cachedAttention(shape, n, slots, positions, cache.capacity(), qkv.data(), cache.layer(layer),
                    out.data());
            return out;
        });
        choose(tape, hidden, streams, sampling);
    }

    private void choose(Tape tape, Tensor hidden, List<Stream> streams, Sampling sampling) {
        int n = hidden.rows();
        Tensor logits = model.head().logits(tape, hidden);
        int vocab = logits.cols();
        Storage logSumExp = tape.scratch(n);
        int[] greedy = new int[n];
        if (sampling.temperature() == 0) {
            // On the logits themselves: softmax could round two of them to one.
            for (int i = 0; i < n; i++) {
                greedy[i] = TokenChoice.greatest(logits.data().slice((long) i * vocab, vocab));
            }
        }
        Tensor tempered = logits;
        if (sampling.temperature() != 0 && sampling.temperature() != 1) {
            tempered = tape.tensor(n, vocab);
            tempered.data().copyFrom(logits.data());
            kernels.softmaxRows(n, vocab, 1 / sampling.temperature(), tempered.data(), logSumExp);
        }
        kernels.softmaxRows(n, vocab, 1, logits.data(), logSumExp);
        for (int i = 0; i < n; i++) {
            Stream s = streams.get(i);
            int id = sampling.temperature() == 0
                    ? greedy[i]
                    : TokenChoice.draw(tempered.data().slice((long) i * vocab, vocab), sampling, s.random.nextDouble());
            s.add(id, Math.log(logits.data().get((long) i * vocab + id)));
        }
    }
}
