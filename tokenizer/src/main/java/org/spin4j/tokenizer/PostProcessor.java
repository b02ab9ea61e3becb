package org.spin4j.tokenizer;

import java.util.List;

/**
 * The special tokens a file puts around one text. Its templates for two texts are kept in the file and not used here.
 *
 * @param before ids put before the text
 * @param after ids put after it
 */
record PostProcessor(List<Integer> before, List<Integer> after) {
    static final PostProcessor NONE = new PostProcessor(List.of(), List.of());

    int[] apply(Ints ids) {
        Ints all = new Ints();
        before.forEach(all::add);
        all.addAll(ids.toArray());
        after.forEach(all::add);
        return all.toArray();
    }

    static PostProcessor parse(Json json, int vocabSize) {
        String type = json.get("type").string();
        return switch (type) {
            // Only offsets into the text depend on it, and there are none here.
            case "ByteLevel" -> {
                json.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                yield NONE;
            }
            case "TemplateProcessing" -> template(json.only("type", "single", "pair", "special_tokens"), vocabSize);
            case "Sequence" -> {
                PostProcessor all = NONE;
                for (Json part : json.only("type", "processors").get("processors").items()) {
                    PostProcessor outer = parse(part, vocabSize);
                    all = new PostProcessor(concat(outer.before, all.before), concat(all.after, outer.after));
                }
                yield all;
            }
            default -> throw json.unsupported("the post-processor " + type);
        };
    }

    private static PostProcessor template(Json json, int vocabSize) {
        Ints before = new Ints();
        Ints after = new Ints();
        boolean seen = false;
        for (Json piece : json.get("single").items()) {
            piece.only("SpecialToken", "Sequence");
            if (piece.find("Sequence").isPresent()) {
                if (seen || !piece.get("Sequence").get("id").string().equals("A")) {
                    throw piece.expected("the sequence A once");
                }
                seen = true;
            } else {
                String name = piece.get("SpecialToken").get("id").string();
                for (Json id : json.get("special_tokens").get(name).get("ids").items()) {
                    (seen ? after : before).add(id.integer(0, vocabSize - 1));
                }
            }
        }
        if (!seen) {
            throw json.get("single").expected("a template with the sequence A");
        }
        return new PostProcessor(list(before), list(after));
    }

    private static List<Integer> list(Ints ids) {
        return java.util.Arrays.stream(ids.toArray()).boxed().toList();
    }

    private static List<Integer> concat(List<Integer> first, List<Integer> second) {
        return java.util.stream.Stream.concat(first.stream(), second.stream()).toList();
    }
}
