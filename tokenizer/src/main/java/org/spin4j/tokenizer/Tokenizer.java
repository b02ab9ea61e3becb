package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Text to token ids and back, as Hugging Face's {@code tokenizers} does it with the same {@code tokenizer.json}. A file that asks for what
 * is not here is refused with the name of it, so ids are right or there are none.
 *
 * <p>
 * Immutable; any number of threads may use one. A lone surrogate in a text counts as U+FFFD.
 */
public final class Tokenizer {
    private static final List<String> USUAL_BOS = List.of("<s>", "<|begin_of_text|>", "<bos>");
    private static final List<String> USUAL_EOS = List.of("</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>");
    private static final List<String> USUAL_PAD = List.of("<pad>", "<|pad|>", "[PAD]");

    /** Stands for the ids of a text among those around it. */
    static final int TEXT = -1;

    /** About as many as in the languages that vocabularies are made for: a guess that saves copying. */
    private static final int CHARACTERS_A_TOKEN = 3;

    /** The file as read: saving gives back the same bytes. */
    private final byte[] json;
    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final Model model;
    /** The model for text in which no special token is to be found. */
    private final Model plainModel;
    private final PostProcessor postProcessor;
    private final Optional<Truncation> truncation;
    private final Optional<Padding> padding;
    /** What the post-processor makes of one text's ids, those as {@link #TEXT}. */
    private final int[] frame;
    /** The same without special tokens. */
    private final int[] plainFrame;
    private final Decoder decoder;
    private final Map<String, Integer> added;
    private final String[] tokens;
    /** How the model spells its tokens, where an added token is spelled in another way. */
    private final String[] modelTokens;
    private final boolean[] special;
    private final AddedTokens rawTokens;
    private final AddedTokens normalizedTokens;
    private final Special specialIds;

    private Tokenizer(byte[] json, String name, Optional<Json> config) {
        this.json = json;
        Json file = Json.parse(json, name);
        file.only("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "model",
                "post_processor", "decoder");
        normalizer = file.find("normalizer").map(Normalizer::parse).orElse(new Normalizer.None());
        preTokenizer = file.find("pre_tokenizer").map(PreTokenizer::parse).orElse(new PreTokenizer.None());
        model = Model.parse(file.get("model"), preTokenizer.bytes());
        decoder = file.find("decoder").map(Decoder::parse).orElse(new Decoder.None());
        List<AddedToken> addedTokens = file.find("added_tokens").map(list -> addedTokens(list, model.vocab()))
                .orElse(List.of());
        rawTokens = new AddedTokens(addedTokens.stream().filter(token -> !token.normalized()).toList(),
                new Normalizer.None());
        normalizedTokens = new AddedTokens(addedTokens.stream().filter(AddedToken::normalized).toList(), normalizer);

        int size = 0;
        for (int id : model.vocab().values()) {
            size = Math.max(size, id + 1);
        }
        for (AddedToken token : addedTokens) {
            size = Math.max(size, token.id() + 1);
        }
        if (size == 0) {
            throw file.get("model").expected("a vocabulary with a token");
        }
        tokens = new String[size];
        special = new boolean[size];
        model.vocab().forEach((token, id) -> tokens[id] = token);
        modelTokens = tokens.clone();
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (AddedToken token : addedTokens) {
            ids.put(token.content(), token.id());
            // Hugging Face (0.23) spells a token that it seeks in normalised text the way it is found there.
            NormalizedText content = NormalizedText.of(token.content(), false);
            tokens[token.id()] = token.normalized() ? normalizer.apply(content).text() : token.content();
            special[token.id()] = token.special();
        }
        added = Collections.unmodifiableMap(ids);
        plainModel = model.without(id -> special[id]);
        int vocabSize = size;
        postProcessor = file.find("post_processor").map(post -> PostProcessor.parse(post, vocabSize))
                .orElse(new PostProcessor.None());
        truncation = file.find("truncation").map(Truncation::parse);
        padding = file.find("padding").map(one -> Padding.parse(one, vocabSize));
        frame = frame(true);
        plainFrame = frame(false);
        specialIds = new Special(named(config, "bos_token", USUAL_BOS), named(config, "eos_token", USUAL_EOS),
                named(config, "pad_token", USUAL_PAD));
    }

    private Tokenizer(Tokenizer other, Special specialIds, Optional<Truncation> truncation,
            Optional<Padding> padding) {
        json = other.json;
        normalizer = other.normalizer;
        preTokenizer = other.preTokenizer;
        model = other.model;
        plainModel = other.plainModel;
        postProcessor = other.postProcessor;
        frame = other.frame;
        plainFrame = other.plainFrame;
        decoder = other.decoder;
        added = other.added;
        tokens = other.tokens;
        modelTokens = other.modelTokens;
        special = other.special;
        rawTokens = other.rawTokens;
        normalizedTokens = other.normalizedTokens;
        this.specialIds = specialIds;
        this.truncation = truncation;
        this.padding = padding;
    }

    /**
     * Reads a tokenizer and the tokenizer_config.json beside it if there is one, which names the special tokens. Formats, in the order in
     * which they are sought in a folder: tokenizer.json; SentencePiece's {@code tokenizer.model}; GPT-2's vocab.json with merges.txt;
     * {@code *.tiktoken}; {@code tok*.bin} of llama2.c.
     *
     * @param fileOrDir the file or a folder that holds it
     * @throws TokenizerException if the file cannot be read, is damaged, or asks for what is not supported
     */
    public static Tokenizer load(Path fileOrDir) {
        TokenizerFiles files = TokenizerFiles.read(fileOrDir);
        return new Tokenizer(files.json(), files.name(), files.config());
    }

    /** Like {@link #load}, but empty for a folder in which there is no tokenizer. */
    public static Optional<Tokenizer> find(Path fileOrDir) {
        return Files.isDirectory(fileOrDir) && TokenizerFiles.find(fileOrDir).isEmpty()
                ? Optional.empty()
                : Optional.of(load(fileOrDir));
    }

    /**
     * The tokenizer in the metadata of a GGUF file; empty where there is none.
     *
     * @param metadata all keys with their values: texts, whole numbers, booleans, {@code List<String>}, {@code int[]},
     *        {@code float[]}
     * @param name what messages call the file
     * @throws TokenizerException if it is damaged or asks for what is not supported
     */
    public static Optional<Tokenizer> ofGguf(Map<String, Object> metadata, String name) {
        return GgufTokenizer.read(metadata, name)
                .map(json -> new Tokenizer(json.bytes(), name, Optional.of(json.roles(name))));
    }

    /**
     * This tokenizer as metadata for a GGUF file, which llama.cpp reads; {@link #ofGguf} makes the same ids of it.
     *
     * @param template the chat template to go along
     * @param size rows of the model's embedding, for each of which the file needs a token
     * @throws TokenizerException if GGUF has no words for what this tokenizer does
     */
    public Map<String, Object> toGguf(Optional<ChatTemplate> template, int size) {
        return GgufTokenizerWriter.write(this, Json.tree(json), frame, template, size);
    }

    /** Reads the text of a tokenizer.json; {@code name} is what messages call it. */
    static Tokenizer parse(byte[] json, String name) {
        return new Tokenizer(json.clone(), name, Optional.empty());
    }

    /** This tokenizer with other tokens in special roles; null for none. Each must be a token. */
    public Tokenizer withSpecial(String bos, String eos, String pad) {
        return new Tokenizer(this, new Special(role("bos", bos), role("eos", eos), role("pad", pad)), truncation,
                padding);
    }

    /** This tokenizer with another limit on the length of what it encodes, or none; the file's own comes first. */
    public Tokenizer withTruncation(Optional<Truncation> limit) {
        return new Tokenizer(this, specialIds, limit, padding);
    }

    /** This tokenizer with another way of filling up what it encodes, or none; the file's own comes first. */
    public Tokenizer withPadding(Optional<Padding> fill) {
        fill.ifPresent(one -> token(one.id()));
        return new Tokenizer(this, specialIds, truncation, fill);
    }

    /** Writes a tokenizer.json that Hugging Face loads: the bytes this tokenizer was read from, or made of another format. */
    public void save(Path file) {
        write(file, json);
    }

    /** Writes tokenizer.json and a tokenizer_config.json with the special tokens and the chat template into a folder, making it if need be. */
    public void saveFolder(Path dir, Optional<ChatTemplate> template) {
        ObjectNode config = Json.NODES.objectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        specialIds.bos().ifPresent(id -> config.put("bos_token", tokens[id]));
        specialIds.eos().ifPresent(id -> config.put("eos_token", tokens[id]));
        specialIds.pad().ifPresent(id -> config.put("pad_token", tokens[id]));
        config.put("clean_up_tokenization_spaces", false);
        template.ifPresent(chat -> config.put("chat_template", chat.source()));
        try {
            Files.createDirectories(dir);
            write(dir.resolve("tokenizer_config.json"),
                    Json.Mapping.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(config));
        } catch (IOException e) {
            throw new TokenizerException(
                    "expected a folder to write to, found " + e.getMessage() + " at " + dir + "; check the path", e);
        }
        save(dir.resolve("tokenizer.json"));
    }

    /** {@link #encode(String, EncodeOptions)} as Hugging Face does it by default. */
    public int[] encode(String text) {
        return encode(text, EncodeOptions.DEFAULT);
    }

    /** The ids of a text, with the limit and the padding that are set. */
    public int[] encode(String text, EncodeOptions options) {
        if (truncation.isPresent() || padding.isPresent()) {
            return padded(List.of(rows(List.of(text), options))).getFirst().ids();
        }
        Model cutter = options.parseSpecial() ? model : plainModel;
        Ints ids = new Ints(text.length() / CHARACTERS_A_TOKEN);
        pieces(NormalizedText.of(wellFormed(text), needsPlaces()), options, new Pieces() {
            @Override
            public void piece(NormalizedText part, int start, int end) {
                cutter.encode(part.text(), start, end, ids);
            }

            @Override
            public void token(int id, NormalizedText part, int start, int end) {
                ids.add(id);
            }
        });
        return framed(ids, options.addSpecialTokens() ? frame : plainFrame);
    }

    /** The tokens of a text and where they come from, with the limit and the padding that are set. */
    public Encoding encoding(String text, EncodeOptions options) {
        return finish(List.of(text), padded(List.of(rows(List.of(text), options))).getFirst());
    }

    /** The tokens of two texts that belong together, such as a question and where its answer stands. */
    public Encoding encoding(String first, String second, EncodeOptions options) {
        List<String> texts = List.of(first, second);
        return finish(texts, padded(List.of(rows(texts, options))).getFirst());
    }

    /** The ids of each text, found on all cores; padding makes them as long as the longest. */
    public List<int[]> encodeAll(List<String> texts, EncodeOptions options) {
        if (padding.isEmpty()) {
            return texts.parallelStream().map(text -> encode(text, options)).toList();
        }
        return padded(texts.parallelStream().map(text -> rows(List.of(text), options)).toList()).stream()
                .map(TokenRows::ids).toList();
    }

    /** The encoding of each text, found on all cores; padding makes them as long as the longest. */
    public List<Encoding> encodings(List<String> texts, EncodeOptions options) {
        List<TokenRows> rows = padded(
                texts.parallelStream().map(text -> rows(List.of(text), options)).toList());
        return IntStream.range(0, texts.size()).parallel()
                .mapToObj(i -> finish(List.of(texts.get(i)), rows.get(i))).toList();
    }

    private static Encoding finish(List<String> texts, TokenRows rows) {
        return rows.finish(texts.stream().map(Tokenizer::wellFormed).toList());
    }

    private List<TokenRows> padded(List<TokenRows> encodings) {
        return padding.isPresent() ? padding.get().apply(encodings) : encodings;
    }

    private TokenRows rows(List<String> texts, EncodeOptions options) {
        List<TokenRows> rows = new ArrayList<>();
        for (String text : texts) {
            rows.add(rows(text, options, rows.size()));
        }
        if (truncation.isPresent()) {
            rows = truncation.get().apply(rows,
                    options.addSpecialTokens() ? postProcessor.added(texts.size() == 2) : 0);
        }
        return TokenRows.joined(postProcessor.process(rows, options.addSpecialTokens()));
    }

    private TokenRows rows(String text, EncodeOptions options, int sequence) {
        TokenRows rows = new TokenRows();
        Ints ids = new Ints();
        Ints spans = new Ints();
        Model cutter = options.parseSpecial() ? model : plainModel;
        pieces(NormalizedText.of(wellFormed(text), true), options, new Pieces() {
            @Override
            public void piece(NormalizedText part, int start, int end) {
                ids.clear();
                spans.clear();
                cutter.encode(part.text(), start, end, ids, spans);
                BytePlaces places = new BytePlaces(part, start, end, preTokenizer.bytes());
                for (int i = 0; i < ids.size(); i++) {
                    int from = spans.get(2 * i);
                    int to = spans.get(2 * i + 1);
                    rows.addText(ids.get(i), modelTokens[ids.get(i)], places.start(from, to), places.end(from, to),
                            sequence);
                }
            }

            @Override
            public void token(int id, NormalizedText part, int start, int end) {
                rows.addText(id, part.text().substring(start, end), part.start(start), part.end(end - 1), sequence);
            }
        });
        return rows;
    }

    /** Receives a text cut up: pieces for the model, and the added tokens between them. */
    private interface Pieces extends PreTokenizer.Sink {
        void token(int id, NormalizedText text, int start, int end);
    }

    private void pieces(NormalizedText text, EncodeOptions options, Pieces pieces) {
        AddedTokens.Sink inner = new AddedTokens.Sink() {
            @Override
            public void text(NormalizedText part) {
                preTokenizer.split(part, 0, part.text().length(), pieces);
            }

            @Override
            public void token(int id, NormalizedText part, int start, int end) {
                pieces.token(id, part, start, end);
            }
        };
        rawTokens.split(text, options.parseSpecial(), new AddedTokens.Sink() {
            @Override
            public void text(NormalizedText part) {
                normalizedTokens.split(normalizer.apply(part), options.parseSpecial(), inner);
            }

            @Override
            public void token(int id, NormalizedText part, int start, int end) {
                pieces.token(id, part, start, end);
            }
        });
    }

    private boolean needsPlaces() {
        return preTokenizer.needsPlaces(!(normalizer instanceof Normalizer.None));
    }

    private int[] frame(boolean addSpecialTokens) {
        TokenRows text = new TokenRows();
        text.addText(TEXT, "", 0, 0, 0);
        return TokenRows.joined(postProcessor.process(List.of(text), addSpecialTokens)).ids();
    }

    private static int[] framed(Ints ids, int[] frame) {
        int[] text = ids.toArray();
        if (frame.length == 1) {
            return text;
        }
        Ints all = new Ints();
        for (int id : frame) {
            if (id == TEXT) {
                all.addAll(text);
            } else {
                all.add(id);
            }
        }
        return all.toArray();
    }

    /**
     * The text of ids. Bytes that are not UTF-8 become U+FFFD; an id that names no token is passed over, as in Hugging Face.
     *
     * @param skipSpecial leave special tokens out
     */
    public String decode(int[] ids, boolean skipSpecial) {
        TokenStream stream = stream(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.accept(id));
        }
        return text.append(stream.finish()).toString();
    }

    /** A decoder for ids that come one by one. */
    public TokenStream stream(boolean skipSpecial) {
        return new TokenStream(this, decoder, skipSpecial);
    }

    /** One more than the largest id: the rows that an embedding needs. */
    public int vocabSize() {
        return tokens.length;
    }

    /** The id of a token by its spelling in the vocabulary, where a leading space may be {@code Ġ} or {@code ▁}. */
    public OptionalInt id(String token) {
        Integer id = added.getOrDefault(token, model.vocab().get(token));
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The spelling of a token in the vocabulary. */
    public String token(int id) {
        if (!isToken(id)) {
            throw new TokenizerException("expected a token id from 0 to " + (tokens.length - 1) + ", found " + id
                    + "; is this the model's tokenizer?");
        }
        return tokens[id];
    }

    /** Whether the id names a token. */
    public boolean isToken(int id) {
        return id >= 0 && id < tokens.length && tokens[id] != null;
    }

    /** Whether the id names a special token. */
    public boolean isSpecial(int id) {
        return isToken(id) && special[id];
    }

    /** The special tokens with their ids, by id. */
    public Map<String, Integer> specialTokens() {
        Map<String, Integer> result = new LinkedHashMap<>();
        added.entrySet().stream().filter(entry -> special[entry.getValue()]).sorted(Map.Entry.comparingByValue())
                .forEach(entry -> result.put(entry.getKey(), entry.getValue()));
        return Collections.unmodifiableMap(result);
    }

    /** The ids in special roles: from tokenizer_config.json, or without that file, tokens with the usual names. */
    public Special special() {
        return specialIds;
    }

    /** Begins a text. */
    public OptionalInt bosId() {
        return specialIds.bos();
    }

    /** Ends a text. */
    public OptionalInt eosId() {
        return specialIds.eos();
    }

    /** Fills up a batch. */
    public OptionalInt padId() {
        return specialIds.pad();
    }

    private static List<AddedToken> addedTokens(Json list, Map<String, Integer> vocab) {
        Map<String, AddedToken> byContent = new LinkedHashMap<>();
        Map<Integer, String> byId = new LinkedHashMap<>();
        int modelSize = vocab.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
        boolean[] taken = new boolean[modelSize];
        vocab.values().forEach(id -> taken[id] = true);
        for (Json item : list.items()) {
            item.only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            String content = item.get("content").string();
            int id = item.get("id").integer(0, Model.MAX_ID - 1);
            Integer known = vocab.get(content);
            if (content.isEmpty()) {
                throw item.get("content").expected("a string that is not empty");
            }
            if (known != null ? known != id : id < modelSize && taken[id]) {
                throw item.get("id").expected("the id that the vocabulary gives to " + content);
            }
            String other = byId.putIfAbsent(id, content);
            if (other != null) {
                throw item.get("id").expected("an id that " + other + " does not have");
            }
            boolean isSpecial = item.bool("special", false);
            AddedToken token = new AddedToken(id, content, item.bool("single_word", false), item.bool("lstrip", false),
                    item.bool("rstrip", false),
                    item.bool("normalized", !isSpecial), isSpecial);
            if (byContent.put(content, token) != null) {
                throw item.get("content").expected("a token that is listed once");
            }
        }
        return byContent.values().stream().sorted(Comparator.comparingInt(AddedToken::id)).toList();
    }

    private OptionalInt named(Optional<Json> config, String key, List<String> usual) {
        if (config.isEmpty()) {
            return usual.stream().filter(added::containsKey).mapToInt(added::get).findFirst();
        }
        Optional<Json> value = config.get().find(key);
        if (value.isEmpty()) {
            return OptionalInt.empty();
        }
        String token = ChatTemplate.tokenText(value.get());
        OptionalInt id = id(token);
        if (id.isEmpty()) {
            throw value.get().expected("a token of the vocabulary");
        }
        return id;
    }

    private OptionalInt role(String role, String token) {
        if (token == null) {
            return OptionalInt.empty();
        }
        OptionalInt id = id(token);
        if (id.isEmpty()) {
            throw new TokenizerException(
                    "expected a token of the vocabulary as " + role + ", found " + token + "; name one that exists");
        }
        return id;
    }

    /** The text with U+FFFD for each surrogate that has no partner. */
    static String wellFormed(String text) {
        StringBuilder fixed = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            fixed = Objects.requireNonNullElseGet(fixed, () -> new StringBuilder(text));
            fixed.setCharAt(i, '\uFFFD');
        }
        return fixed == null ? text : fixed.toString();
    }

    private static void write(Path file, byte[] bytes) {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            Files.write(temporary, bytes);
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new TokenizerException("expected a file that can be written, found " + e.getClass().getSimpleName()
                    + " (" + e.getMessage() + ") at "
                    + file + "; check the folder and the space left", e);
        }
    }
}
