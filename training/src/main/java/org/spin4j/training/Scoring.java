package org.spin4j.training;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Kernels;

/**
 * Log-probabilities, in nats, that a model gives to rows of data:
 *
 * <ul>
 * <li>{@code input_ids}: {@code logprobs[t]} = log p(id[t+1] | id[0..t]);
 * <li>{@code prompt_ids}, {@code chosen_ids}, {@code rejected_ids}: of each token of both responses, and their sums;
 * <li>{@code messages}: of each token of the last assistant turn, and their sum.
 * </ul>
 *
 * @param rows   rows scored
 * @param tokens tokens scored
 * @param nats   minus the sum of their log-probabilities
 * @param cuts   rows that were too long for the model and lost a part
 */
public record Scoring(int rows, long tokens, double nats, int cuts) {

    /**
     * Scores a file.
     *
     * @param out appears whole when all rows are scored
     */
    public static Scoring of(Decoder model, Kernels kernels, TextData text, Path data, Path out, Progress progress) {
        List<Row> rows = new ArrayList<>();
        List<Examples.Response> responses = new ArrayList<>();
        List<Examples.Pair> pairs = new ArrayList<>();
        int vocab = model.config().vocabSize();
        RunContext.read(data, RowParser::score, row -> {
            rows.add(row);
            switch (row) {
                case Row.Pair pair -> pairs.add(pair(text.pair(pair), vocab));
                case Row.Sequence sequence ->
                    responses.addAll(continuation(text.sequence(sequence, false).ids(), vocab));
                default -> responses.add(response(text.response(row), vocab));
            }
            return row;
        });
        Iterator<double[]> scored;
        Iterator<PairLogProbs.Tokens> scoredPairs;
        try (Progress.Task task = progress.start("score", "rows", rows.size())) {
            scored = PairLogProbs.ofResponses(model, kernels, responses, n -> task.to(n, 0, "")).iterator();
            scoredPairs = PairLogProbs.ofPairs(model, kernels, pairs, n -> task.to(responses.size() + n, 0, ""))
                    .iterator();
            task.to(rows.size(), 0, "");
        }
        List<ObjectNode> lines = new ArrayList<>();
        long tokens = 0;
        double nats = 0;
        for (Row row : rows) {
            ObjectNode line = JsonLines.JSON.createObjectNode();
            double[] logProbs;
            if (row instanceof Row.Pair) {
                PairLogProbs.Tokens both = scoredPairs.next();
                line.put("chosen", both.sums().chosen()).put("rejected", both.sums().rejected());
                line.set("chosen_logprobs", array(both.chosen()));
                line.set("rejected_logprobs", array(both.rejected()));
                logProbs = Arrays.copyOf(both.chosen(), both.chosen().length + both.rejected().length);
                System.arraycopy(both.rejected(), 0, logProbs, both.chosen().length, both.rejected().length);
            } else {
                boolean single = row instanceof Row.Sequence s && s.inputIds().ids().size() == 1;
                logProbs = single ? new double[0] : scored.next();
                line.set("logprobs", array(logProbs));
                if (row instanceof Row.Conversation) {
                    line.put("sum", Arrays.stream(logProbs).sum()).put("tokens", logProbs.length);
                }
            }
            tokens += logProbs.length;
            nats -= Arrays.stream(logProbs).sum();
            lines.add(line);
        }
        JsonLines.writeAll(out, lines);
        return new Scoring(rows.size(), tokens, nats, text.cuts());
    }

    /** Mean over the tokens. */
    public double natsPerToken() {
        return nats / tokens;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.4f nats per response token over %,d tokens in %,d rows", natsPerToken(),
                tokens, rows);
    }

    /** A sequence as a response to its first token, which nothing predicts; none where that is all there is. */
    private static List<Examples.Response> continuation(int[] ids, int vocab) {
        return ids.length < 2
                ? List.of()
                : List.of(response(new Examples.Response(Arrays.copyOf(ids, 1), Arrays.copyOfRange(ids, 1, ids.length)),
                        vocab));
    }

    private static Examples.Response response(Examples.Response r, int vocab) {
        TrainingRun.requireIds(r.prompt(), vocab);
        TrainingRun.requireIds(r.response(), vocab);
        return r;
    }

    private static Examples.Pair pair(Examples.Pair p, int vocab) {
        TrainingRun.requireIds(p.prompt(), vocab);
        TrainingRun.requireIds(p.chosen(), vocab);
        TrainingRun.requireIds(p.rejected(), vocab);
        return p;
    }

    private static ArrayNode array(double[] values) {
        ArrayNode node = JsonLines.JSON.createArrayNode();
        for (double v : values) {
            node.add(v);
        }
        return node;
    }
}
