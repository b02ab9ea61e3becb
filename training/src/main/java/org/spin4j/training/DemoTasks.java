package org.spin4j.training;

import org.spin4j.engine.RandomStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The demo's data: five families of small tasks whose answers can be checked, made from a seed.
 *
 * <p>The families have equal shares of every split, and no word or number of a family is in two splits, so that a held-out
 * answer cannot have been learnt by heart. Words are drawn at random with every length equally likely. There are only 1000
 * numbers: 100 each are held out for validation and test, and the 800 others appear in training under up to three wordings,
 * which is the only place where two prompts share their answer.
 */
public final class DemoTasks {
    private static final String VOWELS = "aeiou";
    private static final String CONSONANTS = "bcdfghjklmnpqrstvwxyz";
    private static final List<String> SPELL_WORDINGS = List.of("spell ", "say ", "words ");
    private static final String[] BELOW_TWENTY = {"zero", "one", "two", "three", "four", "five", "six", "seven",
            "eight",
            "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
            "nineteen"};
    private static final String[] TENS = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty",
            "ninety"};

    private DemoTasks() {}

    /** A kind of task. */
    public enum Family {
        /** The letters of a word backwards. Wrong rule: the first letter moves to the end. */
        REVERSE,
        /** A word in capitals. Wrong rule: only its first letter is one. */
        UPPER,
        /** The letters of a word in alphabetical order. Wrong rule: in the opposite order. */
        SORT,
        /** How many of a word's letters are vowels. Wrong rule: how many letters it has. */
        VOWELS,
        /** A number in words. Wrong rule: its three digits one by one. */
        SPELL
    }

    /**
     * A task with its answer.
     *
     * @param family what is asked
     * @param prompt how it is asked
     * @param answer the right answer
     * @param wrongRuleAnswer what the family's wrong rule gives, never the right answer
     */
    public record Example(Family family, String prompt, String answer, String wrongRuleAnswer) {}

    /**
     * Three sets of examples without a word or number in common within a family; each is in random order.
     *
     * @param train for training
     * @param validation for choosing settings
     * @param test for the figures that are reported
     */
    public record Splits(List<Example> train, List<Example> validation, List<Example> test) {
        /** The lists are copied. */
        public Splits {
            train = List.copyOf(train);
            validation = List.copyOf(validation);
            test = List.copyOf(test);
        }
    }

    /** The demo's splits: 10,500 examples for training, 500 for validation, 500 for test. */
    public static Splits splits(long seed) {
        return splits(seed, 10_500, 500, 500);
    }

    /**
     * Splits of other sizes.
     *
     * @param seed the same seed gives the same examples
     * @param train multiple of 5; with the held-out numbers not more than the 1000 numbers allow: at most 15 times
     *        (1000 − (validation + test) / 5)
     * @param validation multiple of 5
     * @param test multiple of 5
     */
    public static Splits splits(long seed, int train, int validation, int test) {
        int[] sizes = {train, validation, test};
        int families = Family.values().length;
        for (int size : sizes) {
            if (size < 0 || size % families != 0) {
                throw new IllegalArgumentException("expected sizes that are multiples of 5, found " + size);
            }
        }
        if (train > 15 * (1000 - (validation + test) / families)) {
            throw new IllegalArgumentException("expected no more training examples than the 1000 numbers allow, found "
                    + train);
        }
        List<List<Example>> splits = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (Family family : Family.values()) {
            List<List<Example>> parts = family == Family.SPELL
                    ? numbers(seed, train / families, validation / families, test / families)
                    : words(seed, family, train / families, validation / families, test / families);
            for (int s = 0; s < splits.size(); s++) {
                splits.get(s).addAll(parts.get(s));
            }
        }
        return new Splits(shuffled(splits.get(0), seed, 0), shuffled(splits.get(1), seed, 1),
                shuffled(splits.get(2), seed, 2));
    }

    /** The task that a prompt sets; none if it is not worded like one. */
    public static Optional<Example> of(String prompt) {
        String[] words = prompt.strip().split(" ", -1);
        if (words.length != 2) {
            return Optional.empty();
        }
        int wording = SPELL_WORDINGS.indexOf(words[0] + " ");
        if (wording >= 0) {
            return words[1].matches("0|[1-9][0-9]{0,2}")
                    ? Optional.of(number(Integer.parseInt(words[1]), wording))
                    : Optional.empty();
        }
        return Arrays.stream(Family.values()).filter(f -> f != Family.SPELL && words[1].matches("[a-z]{1,40}")
                && f.name().toLowerCase(Locale.ROOT).equals(words[0])).findFirst().map(f -> example(f, words[1]));
    }

    /** Whether a model's output, apart from white space around it, is the right answer. */
    public static boolean correct(Example example, String output) {
        return output.strip().equals(example.answer());
    }

    /**
     * The answer that pre-training shows: by the wrong rule with probability one half.
     *
     * @param index which showing of which example it is; another index is another toss
     */
    public static String halfWrongAnswer(Example example, long seed, long index) {
        return RandomStream.of(seed, "demo wrong rule", index).nextBoolean()
                ? example.wrongRuleAnswer()
                : example.answer();
    }

    /** A number from 0 to 999 in words, as in "three hundred and forty-two". */
    static String spell(int number) {
        if (number < 20) {
            return BELOW_TWENTY[number];
        }
        if (number < 100) {
            return TENS[number / 10] + (number % 10 == 0 ? "" : "-" + BELOW_TWENTY[number % 10]);
        }
        return BELOW_TWENTY[number / 100] + " hundred" + (number % 100 == 0 ? "" : " and " + spell(number % 100));
    }

    private static List<List<Example>> words(long seed, Family family, int train, int validation, int test) {
        RandomStream random = RandomStream.of(seed, "demo words " + family.name(), 0);
        Set<String> seen = new HashSet<>();
        List<Example> examples = new ArrayList<>();
        while (examples.size() < train + validation + test) {
            String word = word(random, family == Family.VOWELS ? 4 : 3);
            Example example = example(family, word);
            if (!example.answer().equals(example.wrongRuleAnswer()) && seen.add(word)) {
                examples.add(example);
            }
        }
        return List.of(examples.subList(validation + test, examples.size()), examples.subList(0, validation),
                examples.subList(validation, validation + test));
    }

    /** A word of {@code shortest} to {@code shortest + 3} letters, two in five of them vowels. */
    private static String word(RandomStream random, int shortest) {
        int length = shortest + random.nextInt(4);
        StringBuilder word = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            String letters = random.nextInt(5) < 2 ? VOWELS : CONSONANTS;
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    private static List<List<Example>> numbers(long seed, int train, int validation, int test) {
        RandomStream random = RandomStream.of(seed, "demo numbers", 0);
        int[] order = random.permutation(1000);
        int held = validation + test;
        List<Example> heldOut = new ArrayList<>();
        for (int i = 0; i < held; i++) {
            heldOut.add(number(order[i], random.nextInt(SPELL_WORDINGS.size())));
        }
        // Every number once before any number a second time.
        List<Example> training = new ArrayList<>();
        int[] first = new int[1000];
        for (int i = held; i < 1000; i++) {
            first[i] = random.nextInt(SPELL_WORDINGS.size());
        }
        for (int round = 0; training.size() < train; round++) {
            for (int i = held; i < 1000 && training.size() < train; i++) {
                training.add(number(order[i], (first[i] + round) % SPELL_WORDINGS.size()));
            }
        }
        return List.of(training, heldOut.subList(0, validation), heldOut.subList(validation, held));
    }

    private static Example number(int number, int wording) {
        String digits = String.format(Locale.ROOT, "%03d", number).chars().mapToObj(c -> BELOW_TWENTY[c - '0'])
                .collect(Collectors.joining(" "));
        return new Example(Family.SPELL, SPELL_WORDINGS.get(wording) + number, spell(number), digits);
    }

    private static Example example(Family family, String word) {
        return switch (family) {
            case REVERSE -> new Example(family, "reverse " + word, new StringBuilder(word).reverse().toString(),
                    word.substring(1) + word.charAt(0));
            case UPPER -> new Example(family, "upper " + word, word.toUpperCase(Locale.ROOT),
                    word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1));
            case SORT -> new Example(family, "sort " + word, sorted(word, Comparator.naturalOrder()),
                    sorted(word, Comparator.reverseOrder()));
            case VOWELS -> new Example(family, "vowels " + word,
                    Long.toString(word.chars().filter(c -> VOWELS.indexOf(c) >= 0).count()),
                    Integer.toString(word.length()));
            case SPELL -> throw new IllegalArgumentException("numbers are spelled, not words");
        };
    }

    private static String sorted(String word, Comparator<String> order) {
        return word.chars().mapToObj(Character::toString).sorted(order).collect(Collectors.joining());
    }

    private static List<Example> shuffled(List<Example> examples, long seed, int split) {
        int[] order = RandomStream.of(seed, "demo order", split).permutation(examples.size());
        List<Example> shuffled = new ArrayList<>(examples.size());
        for (int i : order) {
            shuffled.add(examples.get(i));
        }
        return shuffled;
    }
}
