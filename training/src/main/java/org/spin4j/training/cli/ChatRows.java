package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.spin4j.tokenizer.ChatEncoding;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.Tokenizer;
import org.spin4j.training.BadInputException;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Row;
import org.spin4j.training.RowParser;
import picocli.CommandLine.Help.Ansi;

/** {@code tokenizer encode --chat}: conversations as a model sees them, with the tokens that it would learn. */
final class ChatRows {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<ChatEncoding> encodings;

    private ChatRows(List<ChatEncoding> encodings) {
        this.encodings = encodings;
    }

    /**
     * Encodes rows of messages.
     *
     * @param allTurns as sft with assistant_only_loss, not the last turn only
     */
    static ChatRows read(Path data, Tokenizer tokenizer, ChatTemplate template, boolean allTurns) {
        List<Integer> endIds = tokenizer.eosId().stream().boxed().toList();
        return new ChatRows(JsonLines.readAll(data, line -> {
            if (!(RowParser.generate(line).prompt() instanceof Row.Chat chat)) {
                throw BadInputException.of("expected messages, found text or ids in %s; leave --chat out",
                        line.where());
            }
            return line.located(
                    () -> ChatEncoding.of(tokenizer, template, chat.turns(), chat.options(), endIds, allTurns));
        }));
    }

    int size() {
        return encodings.size();
    }

    long tokens() {
        return encodings.stream().mapToLong(encoding -> encoding.ids().length).sum();
    }

    /** Each conversation as {@code {"ids":[…],"mask":[…],"text":"…"}}. */
    List<ObjectNode> json() {
        List<ObjectNode> rows = new ArrayList<>();
        for (ChatEncoding encoding : encodings) {
            ObjectNode row = JSON.createObjectNode();
            numbers(row.putArray("ids"), encoding.ids());
            numbers(row.putArray("mask"), encoding.mask());
            rows.add(row.put("text", encoding.text()));
        }
        return rows;
    }

    private static void numbers(ArrayNode array, int[] values) {
        for (int value : values) {
            array.add(value);
        }
    }

    /** Writes each conversation line by line, the ids of a line below it. What is learnt is green, or stands in «». */
    void print(PrintWriter out, Tokenizer tokenizer, Ansi ansi) {
        for (int i = 0; i < encodings.size(); i++) {
            ChatEncoding encoding = encodings.get(i);
            long learnt = java.util.Arrays.stream(encoding.mask()).sum();
            out.println(ansi.new Text("@|bold conversation " + (i + 1) + "|@: " + encoding.ids().length + " tokens, "
                    + learnt + " to learn in " + encoding.turns().size()
                    + (encoding.turns().size() == 1 ? " turn" : " turns")));
            int from = 0;
            for (int token = 0; token < encoding.ids().length; token++) {
                if (tokenizer.decode(new int[]{encoding.ids()[token]}, false).contains("\n")
                        || token + 1 == encoding.ids().length) {
                    line(out, tokenizer, encoding, from, token + 1, ansi);
                    from = token + 1;
                }
            }
            out.println();
        }
        out.flush();
    }

    private static void line(PrintWriter out, Tokenizer tokenizer, ChatEncoding encoding, int from, int to, Ansi ansi) {
        StringBuilder text = new StringBuilder();
        StringBuilder ids = new StringBuilder("   ");
        int start = from;
        while (start < to) {
            int end = start + 1;
            while (end < to && encoding.mask()[end] == encoding.mask()[start]) {
                end++;
            }
            int[] stretch = java.util.Arrays.copyOfRange(encoding.ids(), start, end);
            boolean learnt = encoding.mask()[start] == 1;
            text.append(marked(visible(tokenizer.decode(stretch, false)), learnt, ansi));
            StringBuilder numbers = new StringBuilder();
            for (int id : stretch) {
                numbers.append(numbers.isEmpty() ? "" : " ").append(id);
            }
            ids.append(' ').append(marked(numbers.toString(), learnt, ansi));
            start = end;
        }
        out.println(text);
        out.println(ids);
    }

    private static String marked(String text, boolean learnt, Ansi ansi) {
        if (!learnt) {
            return text;
        }
        // Written out, as the text itself may hold what picocli would take for its own markup.
        return ansi.enabled() ? Ansi.Style.fg_green.on() + text + Ansi.Style.fg_green.off() : "«" + text + "»";
    }

    /** The text with marks in place of what would move the cursor or colour the terminal. */
    private static String visible(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c == '\n') {
                out.append('↵');
            } else if (Character.isISOControl(c)) {
                out.append('·');
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }
}
