package org.spin4j.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a comparison of ids is asked for on the command line: {@code [--data FOLDER] [--random N] [TOKENIZER …]}.
 *
 * @param tokenizers files or folders
 * @param data       folder of texts, if there is one
 * @param random     how many random texts
 */
record IdsArguments(List<Path> tokenizers, Optional<Path> data, int random) {
    private static final List<String> USUAL = List.of("gpt2", "llama2", "llama3", "mistral", "qwen3");
    private static final int MOST_RANDOM = 100_000_000;

    /**
     * Reads them. Where no tokenizer or folder is named, those of the data beside the checkout are meant.
     *
     * @throws IllegalArgumentException in one line, where they make no sense or there is no tokenizer
     */
    static IdsArguments parse(String... args) {
        List<Path> tokenizers = new ArrayList<>();
        Optional<Path> data = SharedFolder.find("data/datasets");
        int random = 100_000;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--data" -> data = Optional.of(existing(value(args, ++i)));
                case "--random" -> random = number(value(args, ++i));
                default -> tokenizers.add(tokenizer(args[i]));
            }
        }
        if (tokenizers.isEmpty()) {
            USUAL.forEach(name -> SharedFolder.find("data/tokenizers/" + name).ifPresent(tokenizers::add));
        }
        if (tokenizers.isEmpty()) {
            throw new IllegalArgumentException("expected a tokenizer.json or its folder, found none named and none in"
                    + " ../shared/data/tokenizers; name one");
        }
        return new IdsArguments(List.copyOf(tokenizers), data, random);
    }

    /** A path, or one of the usual names. */
    private static Path tokenizer(String name) {
        return USUAL.contains(name) && !Files.exists(Path.of(name))
                ? SharedFolder.find("data/tokenizers/" + name).orElseThrow(() -> missing(name))
                : existing(name);
    }

    private static Path existing(String name) {
        if (!Files.exists(Path.of(name))) {
            throw missing(name);
        }
        return Path.of(name);
    }

    private static IllegalArgumentException missing(String name) {
        return new IllegalArgumentException("expected a file or folder, found nothing at " + name + "; check the path");
    }

    private static int number(String text) {
        try {
            int number = Integer.parseInt(text);
            if (number >= 0 && number <= MOST_RANDOM) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expected a number after --random, found " + text, e);
        }
        throw new IllegalArgumentException("expected a number from 0 to " + MOST_RANDOM + " after --random, found "
                + text);
    }

    private static String value(String[] args, int i) {
        if (i == args.length) {
            throw new IllegalArgumentException("expected a value after " + args[i - 1] + ", found nothing");
        }
        return args[i];
    }
}
