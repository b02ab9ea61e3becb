package org.spin4j.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.spin4j.kernels.Kernels;

/**
 * One stream that goes on from turn to turn. Of each prompt only what differs from the tokens already seen is computed: a
 * conversation that grows costs its new turns.
 */
public final class Conversation implements AutoCloseable {
    private final Decoder model;
    private final CachedDecoder decoder;
    private final KvCache.Stream stream;
    /** The tokens whose keys and values are cached, in order. */
    private final List<Integer> seen = new ArrayList<>();
    private int read;

    /** A conversation with a model whose weights do not change until it is closed. */
    public Conversation(Decoder model, Kernels kernels) {
        this.model = model;
        decoder = new CachedDecoder(model, kernels);
        stream = decoder.stream();
    }

    /**
     * Continues a prompt.
     *
     * @param prompt token ids of the whole conversation so far
     * @param seed   same seed and prompt, same answer
     * @param ends   told each new token; ends the answer where it says so
     * @throws IllegalArgumentException if the prompt leaves no room for an answer
     */
    public Sample answer(int[] prompt, Sampling sampling, long seed, IntPredicate ends) {
        int room = Draft.room(prompt, sampling, model.config());
        int known = 0;
        // The last token is computed in any case: its logits are wanted.
        while (known < Math.min(seen.size(), prompt.length - 1) && seen.get(known) == prompt[known]) {
            known++;
        }
        forgetFrom(known);
        read = prompt.length - known;
        Draft draft = new Draft(prompt, sampling, RandomStream.of(seed, "sample", 0), ends, room);
        TokenChoice choice = new TokenChoice(sampling);
        try {
            for (int from = known; from < prompt.length; from += CachedDecoder.MOST_PROMPT_TOKENS) {
                int to = Math.min(prompt.length, from + CachedDecoder.MOST_PROMPT_TOKENS);
                pass(prompt, from, to, to == prompt.length, draft, choice);
            }
            while (!draft.finished()) {
                pass(draft.ids(), draft.count() - 1, draft.count(), true, draft, choice);
            }
        } catch (RuntimeException e) {
            forgetFrom(0);
            throw e;
        }
        return draft.sample();
    }

    /** How many tokens of the last prompt had to be computed. */
    public int read() {
        return read;
    }

    private void forgetFrom(int position) {
        seen.subList(position, seen.size()).clear();
        stream.truncate(position);
    }

    private void pass(int[] ids, int from, int to, boolean choose, Draft draft, TokenChoice choice) {
        Tape tape = decoder.tape();
        Tensor logits = decoder.logits(tape,
                List.of(new CachedDecoder.Piece(stream, ids, from, to, choose ? 1 : 0)));
        for (int i = from; i < to; i++) {
            seen.add(ids[i]);
        }
        if (choose) {
            choice.next(tape, logits, List.of(draft));
        }
    }

    /** Frees the cache; the model stays open. */
    @Override
    public void close() {
        decoder.close();
    }
}
