package org.spin4j.training;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.tokenizer.ChatEncoding;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.EncodeOptions;
import org.spin4j.tokenizer.Message;
import org.spin4j.tokenizer.Tokenizer;

/**
 * Turns rows of data into token ids for one model. Prompts and responses are encoded apart, in training and in generation
 * alike, so that a prompt has the same ids in both; a chat prompt is what the model's template renders with its generation
 * prompt, and a response is what the template puts behind it, up to the end-of-sequence token.
 *
 * <p>Rows that are ids already need no tokenizer.
 */
public final class TextData {
    private final Optional<Tokenizer> tokenizer;
    private final Optional<ChatTemplate> template;
    private final List<Integer> endIds;
    private final int maxLength;
    private final int maxPromptLength;
    private int cuts;

    private TextData(Optional<Tokenizer> tokenizer, Optional<ChatTemplate> template, List<Integer> endIds,
            int maxLength,
            int maxPromptLength) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.endIds = endIds;
        this.maxLength = maxLength;
        this.maxPromptLength = maxPromptLength;
    }

    /**
     * Data for a model.
     *
     * @param text            its tokenizer and template; without a tokenizer it serves rows of ids only
     * @param maxLength       longest sequence, further limited by the model's positions
     * @param maxPromptLength longest prompt; a longer one loses its beginning
     */
    public static TextData open(ModelText text, DecoderConfig config, int maxLength, int maxPromptLength) {
        int longest = Math.min(maxLength, config.maxPositions());
        return new TextData(text.tokenizer(), text.template(), List.copyOf(config.eosTokenIds()), longest,
                Math.min(maxPromptLength, longest - 1));
    }

    /** The tokenizer. */
    public Tokenizer tokenizer() {
        return tokenizer.orElseThrow(() -> BadInputException.of(
                "expected rows of ids or a tokenizer beside the model, found text and no tokenizer; set tokenizer=DIR"));
    }

    /** Whether text can be read and written. */
    public boolean hasTokenizer() {
        return tokenizer.isPresent();
    }

    /** Ids that end a response. */
    public List<Integer> endIds() {
        return endIds;
    }

    /** Text of ids, or the ids themselves where there is no tokenizer. */
    public String text(int[] ids) {
        return tokenizer.isPresent() ? tokenizer.get().decode(ids, true) : Arrays.toString(ids);
    }

    private ChatTemplate template() {
        return template.orElseThrow(() -> BadInputException.of("expected a chat template in tokenizer_config.json or "
                + "chat_template.jinja, found none beside the tokenizer; name one, such as chatml, or use rows of text "
                + "or ids"));
    }

    private int[] cutPrompt(int[] ids) {
        if (ids.length <= maxPromptLength) {
            return ids;
        }
        cuts++;
        return Arrays.copyOfRange(ids, ids.length - maxPromptLength, ids.length);
    }

    private int[] cutEnd(int[] ids, int longest) {
        if (ids.length <= longest) {
            return ids;
        }
        cuts++;
        return Arrays.copyOf(ids, longest);
    }

    /** How many prompts, responses and sequences so far were too long and lost a part. */
    public int cuts() {
        return cuts;
    }

    /** A prompt, at most max_prompt_length ids: what is cut is the beginning. */
    public int[] prompt(Row.Content content) {
        return cutPrompt(switch (content) {
            case Row.Ids ids -> ids.toArray();
            case Row.Text text -> tokenizer().encode(text.text(), EncodeOptions.DEFAULT);
            case Row.Chat chat -> ChatEncoding.prompt(tokenizer(), template(), chat.turns(), chat.options());
        });
    }

    /** A response to a prompt, at most max_length together; one that is cut has no end token. */
    private int[] response(Row.Content prompt, int promptLength, Row.Content content) {
        int[] ids = switch (content) {
            case Row.Ids given -> given.toArray();
            case Row.Text text -> withEnd(tokenizer().encode(text.text(), EncodeOptions.TEMPLATED));
            case Row.Chat chat -> chatResponse(prompt, chat);
        };
        return cutEnd(ids, maxLength - promptLength);
    }

    private int[] withEnd(int[] ids) {
        if (endIds.isEmpty() || ids.length > 0 && endIds.contains(ids[ids.length - 1])) {
            return ids;
        }
        int[] out = Arrays.copyOf(ids, ids.length + 1);
        out[ids.length] = endIds.getFirst();
        return out;
    }

    private int[] withoutEnd(int[] ids) {
        return ids.length > 1 && endIds.contains(ids[ids.length - 1]) ? Arrays.copyOf(ids, ids.length - 1) : ids;
    }

    /** What the template renders after the prompt, up to and with the first end token. */
    private int[] chatResponse(Row.Content prompt, Row.Chat answer) {
        if (!(prompt instanceof Row.Chat before)) {
            throw BadInputException.of("expected prompt and response both as chat messages, found only one");
        }
        List<Message> all = new ArrayList<>(before.turns());
        all.addAll(answer.turns());
        String start = template().render(before.turns(), true, before.options());
        String whole = template().render(all, false, before.options());
        if (!whole.startsWith(start)) {
            throw BadInputException
                    .of("expected a chat template whose prompt begins the whole conversation, found one that "
                            + "renders it differently; use rows of prompt and completion");
        }
        int[] ids = tokenizer().encode(whole.substring(start.length()), EncodeOptions.TEMPLATED);
        for (int i = 0; i < ids.length; i++) {
            if (endIds.contains(ids[i])) {
                return Arrays.copyOf(ids, i + 1);
            }
        }
        return withEnd(ids);
    }

    /** The last assistant turn of a conversation as a response to all before it. */
    private Examples.Response lastTurn(Row.Chat chat) {
        List<Message> turns = chat.turns();
        Message last = turns.getLast();
        if (turns.size() < 2 || !last.role().equals("assistant")) {
            throw BadInputException
                    .of("expected a conversation that ends with an assistant turn after at least one other, "
                            + "found %d turns ending with '%s'", turns.size(), last.role());
        }
        return responseTo(new Row.Chat(turns.subList(0, turns.size() - 1), chat.options()),
                new Row.Chat(List.of(last)));
    }

    private Examples.Response responseTo(Row.Content prompt, Row.Content response) {
        int[] p = prompt(prompt);
        return new Examples.Response(p, response(prompt, p.length, response), source(prompt, response));
    }

    private static Optional<Examples.Source> source(Row.Content prompt, Row.Content response) {
        if (prompt instanceof Row.Chat before && response instanceof Row.Chat answer) {
            return Optional.of(new Examples.Source(before.turns(), answer.turns().getLast().content()));
        }
        if (prompt instanceof Row.Text before && response instanceof Row.Text answer) {
            return Optional.of(new Examples.Source(List.of(new Message("user", before.text())), answer.text()));
        }
        return Optional.empty();
    }

    /** A row of SFT data as a prompt with a response: what SPIN plays with. */
    public Examples.Response response(Row row) {
        return switch (row) {
            case Row.Completion c -> responseTo(c.prompt(), c.completion());
            case Row.Conversation c -> lastTurn(c.chat());
            case Row.Pair p -> responseTo(p.prompt(), p.chosen());
            case Row.Labelled l -> labelledResponse(l);
            default -> throw BadInputException.of("expected rows with a prompt and a response, found %s",
                    row.getClass().getSimpleName());
        };
    }

    /** Ids whose labels are missing up to some token and the ids themselves from there on. */
    private Examples.Response labelledResponse(Row.Labelled row) {
        int[] ids = row.inputIds().toArray();
        int start = 0;
        while (start < ids.length && row.labels().get(start) == Row.Labelled.NO_LOSS) {
            start++;
        }
        boolean response = start > 0 && start < ids.length;
        for (int t = start; t < ids.length; t++) {
            response &= row.labels().get(t) == ids[t];
        }
        if (!response) {
            throw BadInputException.of("expected labels that are -100 on a prompt and repeat input_ids on all of the "
                    + "response, found others; give prompt and response apart");
        }
        int[] prompt = cutPrompt(Arrays.copyOf(ids, start));
        return new Examples.Response(prompt,
                cutEnd(Arrays.copyOfRange(ids, start, ids.length), maxLength - prompt.length));
    }

    /**
     * A row of SFT data as a sequence with labels on what is to be learnt.
     *
     * @param allTurns of a conversation learn all turns of the assistant, not the last one only
     */
    public Examples.Sequence sequence(Row row, boolean allTurns) {
        return switch (row) {
            case Row.Conversation c when allTurns -> assistantTurns(c.chat());
            case Row.Labelled l -> labelled(l);
            case Row.PlainText t -> plain(t.text());
            case Row.Sequence s -> {
                int[] ids = cutEnd(s.inputIds().toArray(), maxLength);
                yield new Examples.Sequence(ids, ids);
            }
            default -> {
                Examples.Response r = response(row);
                yield Examples.Sequence.of(r.prompt(), r.response());
            }
        };
    }

    /** A whole conversation; one whose last turn the template leaves open gets the end token, which is learnt too. */
    private Examples.Sequence assistantTurns(Row.Chat chat) {
        ChatEncoding encoding = ChatEncoding.of(tokenizer(), template(), chat.turns(), chat.options(), endIds,
                true);
        int[] mask = encoding.mask();
        boolean open = mask.length > 0 && mask[mask.length - 1] == 1;
        int[] ids = cutEnd(open ? withEnd(encoding.ids()) : encoding.ids(), maxLength);
        int[] labels = ids.clone();
        for (int i = 0; i < Math.min(mask.length, labels.length); i++) {
            labels[i] = mask[i] == 1 ? ids[i] : Row.Labelled.NO_LOSS;
        }
        return new Examples.Sequence(ids, labels);
    }

    private Examples.Sequence labelled(Row.Labelled row) {
        int[] ids = cutEnd(row.inputIds().toArray(), maxLength);
        return new Examples.Sequence(ids,
                row.labels().stream().limit(ids.length).mapToInt(Integer::intValue).toArray());
    }

    private Examples.Sequence plain(String text) {
        int[] ids = withEnd(tokenizer().encode(text, EncodeOptions.DEFAULT));
        int[] cut = cutEnd(ids, maxLength);
        return new Examples.Sequence(cut, cut);
    }

    /** A row of preference data. */
    public Examples.Pair pair(Row.Pair row) {
        Examples.Response chosen = responseTo(row.prompt(), row.chosen());
        int[] rejected = response(row.prompt(), chosen.prompt().length, row.rejected());
        return new Examples.Pair(chosen.prompt(), chosen.response(),
                row.rejectedCut() ? withoutEnd(rejected) : rejected);
    }
}
