package org.spin4j.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** What a file does to the tokens of one text or two: special tokens around them, type ids, white space off the offsets. */
sealed interface PostProcessor {
    /** Takes the rows of each text and gives rows to be joined in order. */
    List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens);

    /** How many tokens are added to one text, or to two. */
    int added(boolean pair);

    /** Into how many rows so many come, or 0 where they cannot. */
    default int outputs(int inputs, boolean addSpecialTokens) {
        return inputs;
    }

    /** Nothing. */
    record None() implements PostProcessor {
        @Override
        public List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens) {
            return texts;
        }

        @Override
        public int added(boolean pair) {
            return 0;
        }
    }

    /** Takes white space off the offsets. */
    record ByteLevel(boolean trimOffsets, boolean addPrefixSpace) implements PostProcessor {
        @Override
        public List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens) {
            if (trimOffsets) {
                texts.forEach(text -> text.trimOffsets(addPrefixSpace));
            }
            return texts;
        }

        @Override
        public int added(boolean pair) {
            return 0;
        }
    }

    /** BERT's frame: {@code [CLS] A [SEP]}, {@code [CLS] A [SEP] B [SEP]}. */
    record Bert(int cls, int sep) implements PostProcessor {
        @Override
        public List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens) {
            if (!addSpecialTokens) {
                return texts;
            }
            List<TokenRows> framed = new ArrayList<>();
            for (TokenRows text : texts) {
                framed.add(framed.isEmpty()
                        ? text.between(special(0, cls), special(0, sep))
                        : text.between(new TokenRows(), special(1, sep)));
            }
            return framed;
        }

        @Override
        public int added(boolean pair) {
            return pair ? 3 : 2;
        }
    }

    /** RoBERTa's frame: {@code <s> A </s>}, {@code <s> A </s></s> B </s>}, all of type 0. */
    record Roberta(int cls, int sep, ByteLevel trim) implements PostProcessor {
        @Override
        public List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens) {
            List<TokenRows> framed = new ArrayList<>();
            for (TokenRows text : trim.process(texts, addSpecialTokens)) {
                if (addSpecialTokens) {
                    text.setAllTypeIds(0);
                    framed.add(text.between(special(0, framed.isEmpty() ? cls : sep), special(0, sep)));
                } else {
                    text.setTypeIds(0);
                    framed.add(text);
                }
            }
            return framed;
        }

        @Override
        public int added(boolean pair) {
            return pair ? 4 : 2;
        }
    }

    /** A frame that the file spells out, one for a single text and one for two. */
    record Template(List<Piece> single, List<Piece> pair) implements PostProcessor {
        /** Tokens put in, or the text with an index from 0. */
        record Piece(List<Integer> tokens, int text, int typeId) {}

        @Override
        public List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens) {
            List<TokenRows> framed = new ArrayList<>();
            for (Piece piece : texts.size() == 1 ? single : pair) {
                if (piece.text() < 0) {
                    if (addSpecialTokens) {
                        framed.add(special(piece.typeId(), piece.tokens().stream().mapToInt(id -> id).toArray()));
                    }
                } else {
                    texts.get(piece.text()).setTypeIds(piece.typeId());
                    framed.add(TokenRows.joined(List.of(texts.get(piece.text()))));
                }
            }
            return framed;
        }

        @Override
        public int added(boolean two) {
            return (two ? pair : single).stream().mapToInt(piece -> piece.tokens().size()).sum();
        }

        @Override
        public int outputs(int inputs, boolean addSpecialTokens) {
            return inputs == 0 || inputs > 2
                    ? 0
                    : (int) (inputs == 1 ? single : pair).stream()
                            .filter(piece -> addSpecialTokens || piece.text() >= 0).count();
        }
    }

    /** One after the other. */
    record Sequence(List<PostProcessor> parts) implements PostProcessor {
        @Override
        public List<TokenRows> process(List<TokenRows> texts, boolean addSpecialTokens) {
            List<TokenRows> result = texts;
            for (PostProcessor part : parts) {
                result = part.process(result, addSpecialTokens);
            }
            return result;
        }

        @Override
        public int added(boolean pair) {
            return parts.stream().mapToInt(part -> part.added(pair)).sum();
        }

        @Override
        public int outputs(int inputs, boolean addSpecialTokens) {
            int count = inputs;
            for (PostProcessor part : parts) {
                count = part.outputs(count, addSpecialTokens);
            }
            return count;
        }
    }

    private static TokenRows special(int typeId, int... ids) {
        TokenRows rows = new TokenRows();
        for (int id : ids) {
            rows.addSpecial(id, typeId);
        }
        return rows;
    }

    static PostProcessor parse(Json json, int vocabSize) {
        PostProcessor processor = parsePart(json, vocabSize);
        for (boolean special : new boolean[]{true, false}) {
            if (processor.outputs(1, special) == 0 || processor.outputs(2, special) == 0) {
                throw json.unsupported("a TemplateProcessing of parts that are neither one text nor two");
            }
        }
        return processor;
    }

    private static PostProcessor parsePart(Json json, int vocabSize) {
        String type = json.get("type").string();
        return switch (type) {
            case "ByteLevel" -> {
                json.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                yield new ByteLevel(json.bool("trim_offsets", true), json.bool("add_prefix_space", true));
            }
            case "BertProcessing" -> {
                json.only("type", "sep", "cls");
                yield new Bert(token(json.get("cls"), vocabSize), token(json.get("sep"), vocabSize));
            }
            case "RobertaProcessing" -> {
                json.only("type", "sep", "cls", "trim_offsets", "add_prefix_space");
                yield new Roberta(token(json.get("cls"), vocabSize), token(json.get("sep"), vocabSize),
                        new ByteLevel(json.get("trim_offsets").bool(), json.get("add_prefix_space").bool()));
            }
            case "TemplateProcessing" -> {
                json.only("type", "single", "pair", "special_tokens");
                yield new Template(template(json, "single", 1, vocabSize), template(json, "pair", 2, vocabSize));
            }
            case "Sequence" -> new Sequence(json.only("type", "processors").get("processors").items().stream()
                    .map(part -> parsePart(part, vocabSize)).toList());
            default -> throw json.unsupported("the post-processor " + type);
        };
    }

    /** A token as {@code ["[SEP]", 102]}. */
    private static int token(Json json, int vocabSize) {
        if (json.items().size() != 2) {
            throw json.expected("a token and its id");
        }
        return json.items().get(1).integer(0, vocabSize - 1);
    }

    private static List<Template.Piece> template(Json json, String key, int texts, int vocabSize) {
        List<Template.Piece> pieces = new ArrayList<>();
        for (Json item : json.get(key).items()) {
            boolean text = item.only("SpecialToken", "Sequence").find("Sequence").isPresent();
            Json piece = (text ? item.get("Sequence") : item.get("SpecialToken")).only("id", "type_id");
            int typeId = piece.find("type_id").map(id -> id.integer(0, Integer.MAX_VALUE)).orElse(0);
            String id = piece.get("id").string();
            if (!text) {
                List<Integer> tokens = json.get("special_tokens").get(id).get("ids").items().stream()
                        .map(one -> one.integer(0, vocabSize - 1)).toList();
                pieces.add(new Template.Piece(tokens, -1, typeId));
            } else if (id.equals("A") || id.equals("B") && texts == 2) {
                pieces.add(new Template.Piece(List.of(), id.equals("A") ? 0 : 1, typeId));
            } else {
                throw piece.get("id").expected(texts == 1 ? "the sequence A" : "the sequence A or B");
            }
        }
        for (int i = 0; i < texts; i++) {
            int wanted = i;
            if (pieces.stream().noneMatch(piece -> piece.text() == wanted)) {
                throw json.get(key).expected("a template with the sequence " + (i == 0 ? "A" : "B"));
            }
        }
        return List.copyOf(pieces);
    }
}
