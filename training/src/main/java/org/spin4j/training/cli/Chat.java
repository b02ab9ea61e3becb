package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.spin4j.engine.Conversation;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.tokenizer.Message;
import org.spin4j.tokenizer.TokenizerException;
import org.spin4j.training.AnswerText;
import org.spin4j.training.BadInputException;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Row;
import org.spin4j.training.Spelling;
import org.spin4j.training.TextData;

/** A conversation with a model, line by line: what a line asks for is done and written. */
final class Chat {
    private static final List<String> COMMANDS = List.of("/reset", "/save", "/system", "/help", "/exit");
    private static final String DIM = "\u001B[2m";
    private static final String PLAIN = "\u001B[0m";

    private final Conversation conversation;
    private final DecoderConfig config;
    private final TextData text;
    private final Sampling sampling;
    private final List<String> stops;
    private final long seed;
    private final boolean stats;
    private final PrintWriter out;
    private final boolean person;
    private final List<Message> turns = new ArrayList<>();
    private Optional<String> system;
    private long answers;
    private volatile boolean stop;

    Chat(Conversation conversation, DecoderConfig config, TextData text, Sampling sampling, List<String> stops,
            long seed, Optional<String> system, boolean stats, PrintWriter out, boolean person) {
        this.conversation = conversation;
        this.config = config;
        this.text = text;
        this.sampling = sampling;
        this.stops = stops;
        this.seed = seed;
        this.system = system;
        this.stats = stats;
        this.out = out;
        this.person = person;
        // Whether the model can be talked with is said before anybody writes.
        prompt(List.of(new Message("user", "?")));
    }

    void welcome() {
        if (person) {
            remark("/help lists the commands; Ctrl-C ends an answer, or at the prompt the chat");
        }
    }

    /** Ends the answer that is being written, if any. */
    void stop() {
        stop = true;
    }

    /** Does what a line asks for; false ends the chat. */
    boolean take(String line) {
        try {
            if (line.isBlank()) {
                return true;
            }
            if (line.startsWith("/") && !line.startsWith("//")) {
                return command(line.strip());
            }
            answer(line.startsWith("//") ? line.substring(1) : line);
        } catch (BadInputException | TokenizerException e) {
            remark(e.getMessage());
        }
        return true;
    }

    private boolean command(String line) {
        String[] words = line.split("\\s+", 2);
        String rest = words.length == 1 ? "" : words[1];
        switch (words[0]) {
            case "/exit", "/quit" -> {
                return false;
            }
            case "/reset" -> {
                turns.clear();
                remark("the conversation begins anew");
            }
            case "/system" -> {
                system = rest.isEmpty() ? Optional.empty() : Optional.of(rest);
                remark(rest.isEmpty() ? "no system text" : "the model is told so from now on");
            }
            case "/save" -> save(rest);
            case "/help" -> remark("""
                    /reset        forget the conversation
                    /system TEXT  what the model is told before it; without TEXT nothing
                    /save FILE    write it as a row of {"messages":[…]}
                    /exit         end, as Ctrl-D does
                    //…           a message that begins with /""");
            default -> throw BadInputException.of("expected a command, found '%s'; %s", words[0],
                    Spelling.nearest(words[0], COMMANDS).map(near -> "the nearest is " + near)
                            .orElse("/help lists them"));
        }
        return true;
    }

    private void save(String name) {
        if (name.isEmpty()) {
            throw BadInputException.of("expected a file, found none; write /save FILE");
        }
        if (name.endsWith("/") || Files.isDirectory(Path.of(name))) {
            throw BadInputException.of("expected a file to write, found a folder at %s; choose another name", name);
        }
        ObjectNode row = new ObjectMapper().createObjectNode();
        ArrayNode messages = row.putArray("messages");
        conversation(turns).forEach(turn -> messages.add(turn.json()));
        try {
            JsonLines.writeAll(Path.of(name), List.of(row));
        } catch (UncheckedIOException | InvalidPathException e) {
            BadInputException refused = BadInputException.of("expected to write %s, found '%s'; choose another file",
                    name, e.getMessage());
            refused.initCause(e);
            throw refused;
        }
        remark(messages.size() + " messages in " + name);
    }

    private List<Message> conversation(List<Message> messages) {
        List<Message> all = new ArrayList<>();
        system.ifPresent(told -> all.add(new Message("system", told)));
        all.addAll(messages);
        return all;
    }

    private int[] prompt(List<Message> messages) {
        return text.prompt(new Row.Chat(conversation(messages)));
    }

    private void answer(String message) {
        List<Message> asked = new ArrayList<>(turns);
        asked.add(new Message("user", message));
        int limit = sampling.maxLength() > 0
                ? Math.min(sampling.maxLength(), config.maxPositions())
                : config.maxPositions();
        // Room for an answer, if need be a short one.
        int longest = limit - Math.min(sampling.maxNewTokens(), limit / 4);
        int turnsBefore = asked.size();
        int[] prompt = prompt(asked);
        while (prompt.length > longest && asked.size() > 1) {
            asked.subList(0, Math.min(2, asked.size() - 1)).clear();
            prompt = prompt(asked);
        }
        if (prompt.length > longest) {
            throw BadInputException.of("expected a message that leaves room for an answer within %d tokens, found a "
                    + "longer one; shorten it", limit);
        }
        if (asked.size() < turnsBefore) {
            remark("the conversation is longer than the model's " + limit + " positions: its first turns are left out");
        }
        turns.clear();
        turns.addAll(asked);
        turns.add(new Message("assistant", speak(prompt)));
    }

    private String speak(int[] prompt) {
        stop = false;
        AnswerText answer = new AnswerText(text.tokenizer(), stops);
        StringBuilder said = new StringBuilder();
        long begin = System.nanoTime();
        long[] first = {0};
        Sample sample = conversation.answer(prompt, sampling, seed * 1_000_003 + answers++, id -> {
            if (first[0] == 0) {
                first[0] = System.nanoTime();
            }
            say(answer.accept(id), said);
            return answer.stopped() || stop;
        });
        say(answer.finish(), said);
        out.println();
        long end = System.nanoTime();
        if (stop || sample.finish() == Sample.Finish.LENGTH) {
            remark(stop ? "stopped" : "cut at " + sample.ids().length + " tokens; --max-new-tokens allows more");
        }
        if (stats) {
            remark(String.format(Locale.ROOT,
                    "%d of %d prompt tokens read, first token after %.2f s, %d tokens, %.1f tokens/s",
                    conversation.read(), prompt.length, (first[0] - begin) / 1e9, sample.ids().length,
                    (sample.ids().length - 1) / Math.max(1e-9, (end - first[0]) / 1e9)));
        }
        return said.toString();
    }

    private void say(String piece, StringBuilder said) {
        said.append(piece);
        out.print(piece);
        out.flush();
    }

    private void remark(String line) {
        out.println(person ? DIM + line + PLAIN : line);
    }
}
