package org.spin4j.training.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.spin4j.training.BadInputException;

/**
 * All judgements of one response.
 *
 * @param judgements at least one
 */
public record Assessment(List<Judgement> judgements) {
    /**
     * One judgement.
     *
     * @param text  what the judge wrote; of a verifier, why
     * @param score what it comes to
     */
    public record Judgement(String text, Score score) {}

    /** The list is copied. */
    public Assessment {
        judgements = List.copyOf(judgements);
        if (judgements.isEmpty()) {
            throw new IllegalArgumentException("expected at least one judgement, found none");
        }
    }

    /** Mean of the scores that can be used, the same bits for the same scores in any order; none if there is no such score. */
    public OptionalDouble mean() {
        return judgements.stream().flatMapToDouble(j -> j.score().points().stream()).sorted().average();
    }

    /** How many judgements cannot be used for this reason. */
    public int count(Score.Unusable reason) {
        return (int) judgements.stream().filter(j -> j.score() == reason).count();
    }

    /** How many judgements cannot be used. */
    public int unusable() {
        return (int) judgements.stream().filter(j -> j.score() instanceof Score.Unusable).count();
    }

    /** As a list of {@code {"text":…,"score":4.0}} or {@code {"text":…,"unusable":"missing"}}. */
    public ArrayNode json() {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (Judgement judgement : judgements) {
            ObjectNode node = array.addObject().put("text", judgement.text());
            switch (judgement.score()) {
                case Score.Points points -> node.put("score", points.value());
                case Score.Unusable reason -> node.put("unusable", reason.toString());
            }
        }
        return array;
    }

    /**
     * What {@link #json} wrote.
     *
     * @throws BadInputException if it is something else
     */
    public static Assessment of(JsonNode json) {
        List<Judgement> judgements = new ArrayList<>();
        for (JsonNode node : json) {
            Score score = node.path("score").isNumber()
                    ? new Score.Points(node.get("score").doubleValue())
                    : Arrays.stream(Score.Unusable.values())
                            .filter(reason -> reason.toString().equals(node.path("unusable").textValue())).findFirst()
                            .orElse(null);
            if (score == null || !node.path("text").isTextual()) {
                throw BadInputException.of(
                        "expected judgements with a text and a score or unusable, found %s; judge again",
                        BadInputException.excerpt(node.toString()));
            }
            judgements.add(new Judgement(node.get("text").textValue(), score));
        }
        if (judgements.isEmpty()) {
            throw BadInputException.of("expected a list of judgements, found %s; judge again",
                    BadInputException.excerpt(json.toString()));
        }
        return new Assessment(judgements);
    }
}
