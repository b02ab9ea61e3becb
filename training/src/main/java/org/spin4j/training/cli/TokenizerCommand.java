package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.EncodeOptions;
import org.spin4j.tokenizer.Encoding;
import org.spin4j.tokenizer.Tokenizer;
import org.spin4j.tokenizer.Truncation;
import org.spin4j.training.BadInputException;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Text to token ids and back. */
@Command(name = "tokenizer", description = "Learns a tokenizer, or turns text into token ids and back.", subcommands = {
        TokenizerCommand.Train.class, TokenizerCommand.Encode.class, TokenizerCommand.Decode.class})
final class TokenizerCommand implements Runnable {
    /** Not a mapper, which takes a JVM that has just begun a sixth of a second. */
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String TOKENIZER = "The tokenizer or its folder: tokenizer.json, SentencePiece's .model, vocab.json with merges.txt, .tiktoken, or llama2.c's tok*.bin.";

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Learns a vocabulary. */
    @Command(name = "train", description = {"Learns a byte-level BPE vocabulary from texts.", "",
            "A .jsonl file holds {\"text\":\"…\"} rows; of any other file every line is a text, its line end included."}, footer = {
                    "", "Example:",
                    "  spin4j tokenizer train --data texts.jsonl --vocab-size 4096 --out tokenizer --special '<|endoftext|>'"})
    static final class Train implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Option(names = "--data", required = true, paramLabel = "FILE", description = "The texts.")
        private Path data;

        @Option(names = "--vocab-size", required = true, paramLabel = "N", description = "Tokens at most, special ones and 256 bytes among them.")
        private int vocabSize;

        @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder for tokenizer.json and tokenizer_config.json.")
        private Path out;

        @Option(names = "--special", paramLabel = "TOKEN", description = "A special token; may be given several times (default: <|endoftext|>).")
        private List<String> special = new ArrayList<>();

        @Option(names = "--min-frequency", paramLabel = "N", defaultValue = "2", description = "Pairs seen less often are not merged (default: ${DEFAULT-VALUE}).")
        private long minFrequency;

        @Option(names = "--max-token-length", paramLabel = "N", description = "Make no token of N bytes or more but pairs of bytes, as Hugging Face's max_token_length does.")
        private Integer maxTokenLength;

        @Option(names = "--limit-alphabet", paramLabel = "N", description = "Keep only the N most frequent bytes of the texts; texts with other bytes cannot be encoded then (default: all 256 bytes are tokens).")
        private Integer limitAlphabet;

        @Option(names = "--quiet", description = "No progress on standard error.")
        private boolean quiet;

        @Option(names = "--json", description = "Print the summary as JSON.")
        private boolean json;

        @Override
        public Integer call() {
            BpeTrainer.Config config = new BpeTrainer.Config(vocabSize, minFrequency,
                    special.isEmpty() ? List.of("<|endoftext|>") : special, limit(maxTokenLength),
                    limit(limitAlphabet));
            if (Files.exists(out.resolve("tokenizer.json"))) {
                throw BadInputException.of("expected a new folder, found a tokenizer.json in %s; choose another --out",
                        out);
            }
            List<String> texts = texts(data);
            if (texts.isEmpty()) {
                throw BadInputException.of("expected at least one text, found none in %s; check the path", data);
            }
            Tokenizer tokenizer;
            try (Progress.Task task = new Progress(quiet).start("tokenizer", "tokens", vocabSize)) {
                tokenizer = BpeTrainer.train(texts, config,
                        (tokens, count) -> task.to(tokens, 0,
                                String.format(Locale.ROOT, "pair seen %,d times", count)));
            }
            tokenizer.saveFolder(out, Optional.empty());
            if (json) {
                spec.commandLine().getOut().println(JSON.objectNode().put("vocab_size", tokenizer.vocabSize())
                        .put("texts", texts.size()).put("out", out.toString()));
            } else {
                spec.commandLine().getOut().println(String.format(Locale.ROOT, "%,d tokens from %,d texts in %s",
                        tokenizer.vocabSize(), texts.size(), out));
            }
            return 0;
        }

        private static OptionalInt limit(Integer number) {
            return number == null ? OptionalInt.empty() : OptionalInt.of(number);
        }
    }

    /** Text to ids. */
    @Command(name = "encode", description = {"{\"text\":\"…\"} -> {\"ids\":[…]}, row by row.",
            "With text_pair in a row, both texts are one input; the row gets type_ids.",
            "With --chat: {\"messages\":[…]} -> {\"ids\":[…],\"mask\":[…],\"text\":\"…\"}."}, footer = {"", "Example:",
                    "  spin4j tokenizer encode --tokenizer models/base --data texts.jsonl --out ids.jsonl"})
    static final class Encode implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Option(names = "--tokenizer", required = true, paramLabel = "FILE|DIR", description = TOKENIZER)
        private Path tokenizer;

        @Option(names = "--data", required = true, paramLabel = "FILE", description = "Rows with text.")
        private Path data;

        @Option(names = "--out", paramLabel = "FILE", description = "Rows with ids; with --chat it may be left out, and the rows are shown.")
        private Path out;

        @Option(names = "--chat", description = "Rows of messages: ids, text, and which tokens training would learn.")
        private boolean chat;

        @Option(names = "--last-turn", description = "With --chat: learn the last turn only, as training does without assistant_only_loss.")
        private boolean lastTurn;

        @Mixin
        private TemplateOption template;

        @Option(names = "--no-special", description = "Add no special tokens such as <s>.")
        private boolean noSpecial;

        @Option(names = "--offsets", description = "Add where each token starts and ends in its text, in UTF-16 as Java counts; 0,0 for tokens put in.")
        private boolean offsets;

        @Option(names = "--max-length", paramLabel = "N", description = "Cut to this many tokens, those put in among them.")
        private Integer maxLength;

        @Option(names = "--quiet", description = "No progress on standard error.")
        private boolean quiet;

        @Option(names = "--json", description = "Print the summary as JSON.")
        private boolean json;

        @Override
        public Integer call() {
            Tokenizer t = Tokenizer.load(tokenizer);
            if (chat && (offsets || maxLength != null)) {
                throw BadInputException.of("expected --chat without --offsets and --max-length, found %s; leave it out",
                        offsets ? "--offsets" : "--max-length");
            }
            if (chat) {
                return chat(t);
            }
            if (out == null) {
                throw BadInputException
                        .of("expected --out FILE, found nothing of that; see spin4j tokenizer encode --help");
            }
            if (lastTurn || template.chosen().isPresent()) {
                throw BadInputException.of("expected --chat beside %1$s, found %1$s alone; add --chat",
                        lastTurn ? "--last-turn" : "--chat-template");
            }
            EncodeOptions options = noSpecial ? EncodeOptions.TEMPLATED : EncodeOptions.DEFAULT;
            Tokenizer limited = maxLength == null ? t : t.withTruncation(Optional.of(Truncation.to(maxLength)));
            LongAdder tokens = new LongAdder();
            int rows = RowsInParallel.write(data, out, "encode", new Progress(quiet), line -> {
                ObjectNode row = encode(line, limited, options);
                tokens.add(row.get("ids").size());
                return row;
            });
            summary(spec, json, rows, tokens.sum(), out);
            return 0;
        }

        private int chat(Tokenizer t) {
            Path dir = Files.isDirectory(tokenizer) ? tokenizer : tokenizer.toAbsolutePath().getParent();
            ChatRows rows = ChatRows.read(data, t,
                    template.chosen().map(name -> ChatTemplate.choose(name, dir))
                            .orElseGet(() -> ChatTemplate.load(dir)),
                    !lastTurn);
            if (out != null) {
                JsonLines.writeAll(out, rows.json());
                summary(spec, json, rows.size(), rows.tokens(), out);
            } else if (json) {
                rows.json().forEach(spec.commandLine().getOut()::println);
            } else {
                rows.print(spec.commandLine().getOut(), t, spec.commandLine().getColorScheme().ansi());
            }
            return 0;
        }

        private ObjectNode encode(JsonLines.Line line, Tokenizer t, EncodeOptions options) {
            String text = text(line, "text");
            boolean pair = line.object().has("text_pair");
            ObjectNode row = JSON.objectNode();
            if (!offsets && !pair) {
                put(row, "ids", t.encode(text, options));
                return row;
            }
            Encoding encoding = pair
                    ? t.encoding(text, text(line, "text_pair"), options)
                    : t.encoding(text, options);
            put(row, "ids", encoding.ids());
            if (pair) {
                put(row, "type_ids", encoding.typeIds());
            }
            if (offsets) {
                ArrayNode places = row.putArray("offsets");
                for (int i = 0; i < encoding.ids().length; i++) {
                    places.addArray().add(encoding.starts()[i]).add(encoding.ends()[i]);
                }
            }
            return row;
        }

        private static void put(ObjectNode row, String key, int[] values) {
            ArrayNode array = row.putArray(key);
            for (int value : values) {
                array.add(value);
            }
        }
    }

    /** Ids to text. */
    @Command(name = "decode", description = "{\"ids\":[…]} -> {\"text\":\"…\"}, row by row.", footer = {"", "Example:",
            "  spin4j tokenizer decode --tokenizer models/base --data ids.jsonl --out texts.jsonl"})
    static final class Decode implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Option(names = "--tokenizer", required = true, paramLabel = "FILE|DIR", description = TOKENIZER)
        private Path tokenizer;

        @Option(names = "--data", required = true, paramLabel = "FILE", description = "Rows with ids.")
        private Path data;

        @Option(names = "--out", required = true, paramLabel = "FILE", description = "Rows with text.")
        private Path out;

        @Option(names = "--skip-special", description = "Leave special tokens out.")
        private boolean skipSpecial;

        @Option(names = "--quiet", description = "No progress on standard error.")
        private boolean quiet;

        @Option(names = "--json", description = "Print the summary as JSON.")
        private boolean json;

        @Override
        public Integer call() {
            Tokenizer t = Tokenizer.load(tokenizer);
            LongAdder tokens = new LongAdder();
            int rows = RowsInParallel.write(data, out, "decode", new Progress(quiet), line -> {
                int[] ids = ids(line);
                tokens.add(ids.length);
                return JSON.objectNode().put("text", t.decode(ids, skipSpecial));
            });
            summary(spec, json, rows, tokens.sum(), out);
            return 0;
        }
    }

    private static void summary(CommandSpec spec, boolean json, int rows, long tokens, Path out) {
        spec.commandLine().getOut()
                .println(json
                        ? JSON.objectNode().put("rows", rows).put("tokens", tokens).put("out", out.toString())
                                .toString()
                        : String.format(Locale.ROOT, "%,d tokens in %,d rows in %s", tokens, rows, out));
    }

    private static String text(JsonLines.Line line, String key) {
        JsonNode text = line.object().path(key);
        if (!text.isTextual()) {
            throw BadInputException.of("expected a string in %s, found %s in %s; repair that line", key,
                    text.isMissingNode() ? "no such key" : Failure.excerpt(text.toString()), line.where());
        }
        return text.textValue();
    }

    private static int[] ids(JsonLines.Line line) {
        JsonNode array = line.object().path("ids");
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!array.get(i).isInt() || array.get(i).intValue() < 0) {
                throw BadInputException.of("expected token ids in ids, found %s in %s; repair that line",
                        Failure.excerpt(array.get(i).toString()), line.where());
            }
            ids[i] = array.get(i).intValue();
        }
        if (!array.isArray()) {
            throw BadInputException.of("expected a list of token ids in ids, found %s in %s; repair that line",
                    array.isMissingNode() ? "no such key" : Failure.excerpt(array.toString()), line.where());
        }
        return ids;
    }

    private static List<String> texts(Path file) {
        if (file.toString().endsWith(".jsonl")) {
            return JsonLines.readAll(file, line -> text(line, "text"));
        }
        if (!Files.isRegularFile(file)) {
            throw BadInputException.of("expected a file of text, found %s at %s; check the path",
                    Files.isDirectory(file) ? "a folder" : "nothing", file);
        }
        try (var lines = Files.lines(file)) {
            return lines.map(l -> l + "\n").toList();
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CharacterCodingException) {
                throw new BadInputException(
                        "expected UTF-8, found other bytes in " + file + "; convert the file to UTF-8", e);
            }
            throw e;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
