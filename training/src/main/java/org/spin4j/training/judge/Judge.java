package org.spin4j.training.judge;

import java.util.List;
import java.util.function.IntConsumer;
import org.spin4j.tokenizer.Message;

/** Gives responses a score, each on its own. */
public interface Judge {
    /**
     * A response to be judged.
     *
     * @param number   names the random streams of its judgements, so that they depend neither on the other answers nor on how answers are
     *                 put together; different answers have different numbers
     * @param prompt   the conversation up to the response
     * @param response the response
     */
    record Answer(long number, List<Message> prompt, String response) {
        /** The list is copied. */
        public Answer {
            prompt = List.copyOf(prompt);
        }
    }

    /**
     * Judges responses.
     *
     * @param judgements how often each is judged, at least once; a judge that cannot but say the same again judges once
     * @param seed       same seed, same judgements, for any number of threads
     * @param done       told the number of finished answers now and then, on the calling thread; what it throws ends the work
     * @return one for each answer, in their order
     */
    List<Assessment> judge(List<Answer> answers, int judgements, long seed, IntConsumer done);
}
