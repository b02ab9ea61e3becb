package org.spin4j.training.judge;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.spin4j.tokenizer.Message;

/** How a model is asked for the score of a response: any text with the places {@code {{ prompt }}} and {@code {{ response }}}. */
public final class JudgePrompt {
    private static final List<String> PLACES = List.of("prompt", "response");
    private static final String ADDITIVE = """
            You are going to grade how an assistant answered a user. Start from 0 points and add one point for each of \
            these five statements that holds:
            1. The answer is on topic and tells the user something they asked about, even if much is missing or beside the point.
            2. The answer deals with a large part of the question, though it may stop short of settling it.
            3. The answer gives the user the essentials in a form they can use, whoever or whatever may have written it.
            4. The answer speaks as an assistant to this user, takes up the whole question directly, and is clear, ordered and \
            helpful; only small things could be said better.
            5. The answer is made for exactly this question by someone who knows the subject: nothing superfluous, and a \
            pleasure to read.

            Question of the user:
            <question>
            {{ prompt }}
            </question>

            Answer of the assistant:
            <answer>
            {{ response }}
            </answer>

            First give your reasons in no more than 100 words. Then end with one line that holds the sum of the points and \
            nothing else, in this form:
            Score: n""";

    private final PromptTemplate template;

    private JudgePrompt(PromptTemplate template) {
        this.template = template;
    }

    /** The additive scale from 0 to 5 of Yuan et al. 2024, arXiv 2401.10020, figure 2, in other words. */
    public static JudgePrompt additive() {
        return of(ADDITIVE, "the built-in prompt");
    }

    /**
     * A prompt of one's own.
     *
     * @param where it comes from, for messages
     */
    public static JudgePrompt of(String text, String where) {
        return new JudgePrompt(PromptTemplate.of(text, PLACES, where));
    }

    /** A prompt of one's own from a file. */
    public static JudgePrompt read(Path file) {
        return new JudgePrompt(PromptTemplate.read(file, PLACES));
    }

    /** What the judge is asked. */
    public String render(List<Message> prompt, String response) {
        return template.render(Map.of("prompt", conversation(prompt), "response", response));
    }

    /** The prompt with its places: what its judgements depend on. */
    @Override
    public String toString() {
        return template.toString();
    }

    /** A single turn of the user is its text; of a longer conversation each turn begins with who speaks. */
    static String conversation(List<Message> prompt) {
        return prompt.size() == 1 && prompt.getFirst().role().equals("user")
                ? prompt.getFirst().content()
                : prompt.stream().map(turn -> turn.role() + ": " + turn.content()).collect(Collectors.joining("\n\n"));
    }
}
