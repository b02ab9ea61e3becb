package org.spin4j.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.RandomStream;
import org.spin4j.kernels.DType;

/** A model of a few thousand weights and rows of ids for it, so that a whole run takes a second. */
public final class TinyRuns {
    private static final int VOCAB = 48;
    private static final int EOS = 2;

    private TinyRuns() {}

    /** A model folder with random weights, without a tokenizer. */
    public static Path model(Path folder) {
        DecoderConfig config = DecoderConfig.llama(VOCAB, 16, 2, 2, 1, 32, 64, true).withTokens(OptionalInt.empty(),
                List.of(EOS), OptionalInt.empty());
        try (Decoder model = Decoder.random(config, DType.F32, 7)) {
            model.save(folder, "F32", null);
        }
        return folder;
    }

    /** Rows with input_ids and labels, for sft and spin. */
    public static Path sftRows(Path file, int count) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = ids(i, "prompt", 4);
            int[] response = ids(i, "real", 5);
            String labels = "-100,".repeat(prompt.length) + list(response);
            lines.add("{\"input_ids\":[" + list(prompt) + "," + list(response) + "],\"labels\":[" + labels + "]}");
        }
        return Files.write(file, lines);
    }

    /** Rows of pairs with the given names of the two responses. */
    public static Path pairRows(Path file, int count, String preferred, String other) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add("{\"prompt_ids\":[%s],\"%s\":[%s],\"%s\":[%s]}".formatted(list(ids(i, "prompt", 4)), preferred,
                    list(ids(i, "real", 5)), other, list(ids(i, "other", 3))));
        }
        return Files.write(file, lines);
    }

    private static int[] ids(int row, String what, int atLeast) {
        RandomStream random = RandomStream.of(11, what, row);
        int[] ids = random.ints(atLeast + random.nextInt(4), 3, VOCAB).toArray();
        if (!what.equals("prompt")) {
            ids[ids.length - 1] = EOS;
        }
        return ids;
    }

    private static String list(int[] ids) {
        String text = Arrays.toString(ids).replace(" ", "");
        return text.substring(1, text.length() - 1);
    }
}
