package org.spin4j.bench;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** Texts of words that no tokenizer has met before and none meets twice: what encoding costs where no memory of words helps. */
final class MadeUpWords {
    private static final int WORDS_A_TEXT = 100;
    private static final int SHORTEST = 4;
    private static final int LONGEST = 12;

    private MadeUpWords() {}

    /** Texts of {@code words} different words of 4 to 12 letters, the same ones every time. */
    static List<String> texts(int words) {
        SplittableRandom random = new SplittableRandom(1);
        Set<String> seen = new HashSet<>();
        List<String> texts = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        while (seen.size() < words) {
            String word = word(random);
            if (seen.add(word)) {
                text.append(' ').append(word);
                if (seen.size() % WORDS_A_TEXT == 0 || seen.size() == words) {
                    texts.add(text.toString());
                    text.setLength(0);
                }
            }
        }
        return texts;
    }

    private static String word(SplittableRandom random) {
        StringBuilder word = new StringBuilder();
        for (int n = random.nextInt(SHORTEST, LONGEST + 1); n > 0; n--) {
            word.append((char) random.nextInt('a', 'z' + 1));
        }
        return word.toString();
    }
}
