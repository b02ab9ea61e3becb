package org.spin4j.training.judge;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.spin4j.engine.RandomStream;
import org.spin4j.tokenizer.Message;

/**
 * Evaluation fine-tuning data: judgements for a model to learn judging from (Yuan et al. 2024, arXiv 2401.10020, sections 2.1 and 3.1.1).
 * A model has judged the responses of ranked prompts; those judgements are kept that order the responses as people did.
 */
public final class EftBuilder {
    private EftBuilder() {}

    /**
     * Prompts for training and prompts to measure the judge with.
     *
     * @param train   to be judged, for {@link #build}
     * @param heldOut for {@link RewardModelReport}; none of these prompts is in {@code train}
     */
    public record Split(List<RankedPrompt> train, List<RankedPrompt> heldOut) {}

    /**
     * A judgement to learn.
     *
     * @param question  what the judge is asked
     * @param judgement what it is to answer
     * @param points    the score in it
     */
    public record Example(String question, String judgement, double points) {
        /** As a row for SFT, whose loss is on the judgement only: {@code {"messages":[user, assistant]}}. */
        public ObjectNode json() {
            ObjectNode row = JsonNodeFactory.instance.objectNode();
            ArrayNode messages = row.putArray("messages");
            messages.add(new Message("user", question).json());
            messages.add(new Message("assistant", judgement).json());
            return row;
        }
    }

    /**
     * What was built.
     *
     * @param examples  in the order of the prompts
     * @param prompts   how many there were
     * @param agreeing  prompts with judgements that agree with their ranking
     * @param unusable  prompts of whose judgements none could be compared, because scores are missing in each
     * @param thinned   examples left out because too many have their score
     * @param histogram number of examples with each score
     */
    public record Result(List<Example> examples, int prompts, int agreeing, int unusable, int thinned,
            SortedMap<Double, Integer> histogram) {}

    /**
     * Holds prompts out. Rows with the same prompt go the same way.
     *
     * @param share of the different prompts to hold out, in [0, 1]; rounded to a whole number of prompts
     * @param seed  decides which
     */
    public static Split split(List<RankedPrompt> ranked, double share, long seed) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("expected a share in [0, 1] to hold out, found " + share);
        }
        List<List<Message>> prompts = ranked.stream().map(RankedPrompt::prompt).distinct().toList();
        int[] order = RandomStream.of(seed, "eft held out", 0).permutation(prompts.size());
        Set<List<Message>> heldOut = new HashSet<>();
        for (int i = 0; i < Math.round(share * prompts.size()); i++) {
            heldOut.add(prompts.get(order[i]));
        }
        return new Split(ranked.stream().filter(r -> !heldOut.contains(r.prompt())).toList(),
                ranked.stream().filter(r -> heldOut.contains(r.prompt())).toList());
    }

    /**
     * Keeps judgements that agree with people, and thins the commonest score out.
     *
     * <p>
     * The first judgements of all responses of a prompt are one judgement of the prompt, the second ones another, and so on. It agrees if every
     * two responses that people rank differently have scores in that order; equal scores do not agree, equal ranks ask for nothing. The
     * first that agrees is kept, with the judgements of all responses. Of the examples with the commonest score, only as many as have the
     * second commonest are left, drawn at random.
     *
     * @param prompt      what the judge is asked
     * @param assessments of the responses of each prompt, in their order, each judged equally often
     * @param seed        decides which examples are left out
     */
    public static Result build(JudgePrompt prompt, List<RankedPrompt> ranked, List<List<Assessment>> assessments,
            long seed) {
        List<Example> examples = new ArrayList<>();
        int agreeing = 0;
        int unusable = 0;
        for (int p = 0; p < ranked.size(); p++) {
            RankedPrompt row = ranked.get(p);
            List<Assessment> judged = assessments.get(p);
            int judgements = judged.stream().mapToInt(a -> a.judgements().size()).min().orElse(0);
            boolean comparable = false;
            for (int j = 0; j < judgements; j++) {
                double[] scores = scores(judged, j);
                boolean complete = Arrays.stream(scores).noneMatch(Double::isNaN);
                comparable |= complete;
                if (complete && agrees(row.ranks(), scores)) {
                    for (int r = 0; r < scores.length; r++) {
                        examples.add(new Example(prompt.render(row.prompt(), row.responses().get(r)),
                                judged.get(r).judgements().get(j).text(), scores[r]));
                    }
                    agreeing++;
                    break;
                }
            }
            unusable += comparable ? 0 : 1;
        }
        List<Example> balanced = balanced(examples, seed);
        return new Result(balanced, ranked.size(), agreeing, unusable, examples.size() - balanced.size(),
                histogram(balanced));
    }

    /** The scores of the j-th judgements; NaN where one cannot be used. */
    private static double[] scores(List<Assessment> judged, int j) {
        return judged.stream().mapToDouble(a -> a.judgements().get(j).score().points().orElse(Double.NaN)).toArray();
    }

    private static boolean agrees(List<Double> ranks, double[] scores) {
        for (int a = 0; a < scores.length; a++) {
            for (int b = 0; b < scores.length; b++) {
                if (ranks.get(a) < ranks.get(b) && !(scores[a] > scores[b])) {
                    return false;
                }
            }
        }
        return true;
    }

    private static List<Example> balanced(List<Example> examples, long seed) {
        List<Map.Entry<Double, Integer>> counts = histogram(examples).entrySet().stream()
                .sorted(Map.Entry.<Double, Integer>comparingByValue().reversed()).toList();
        if (counts.size() < 2) {
            return examples;
        }
        double commonest = counts.getFirst().getKey();
        int[] places = IntStream.range(0, examples.size()).filter(i -> examples.get(i).points() == commonest).toArray();
        int[] order = RandomStream.of(seed, "eft balance", 0).permutation(places.length);
        Set<Integer> out = new HashSet<>();
        for (int i = counts.get(1).getValue(); i < places.length; i++) {
            out.add(places[order[i]]);
        }
        return IntStream.range(0, examples.size()).filter(i -> !out.contains(i)).mapToObj(examples::get).toList();
    }

    private static SortedMap<Double, Integer> histogram(List<Example> examples) {
        SortedMap<Double, Integer> histogram = new TreeMap<>();
        examples.forEach(e -> histogram.merge(e.points(), 1, Integer::sum));
        return histogram;
    }
}
