package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import org.spin4j.kernels.Forest;

/** Reads reference numbers made with PyTorch and transformers, and runs what they were made with. */
final class Golden {
    private Golden() {}

    static JsonNode read(Path file) {
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ints(JsonNode array) {
        int[] out = new int[array.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = array.get(i).asInt();
        }
        return out;
    }

    static float[] floats(JsonNode array) {
        byte[] bytes = Base64.getDecoder().decode(array.get("b64").asText());
        float[] out = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(out);
        return out;
    }

    /** Sequences as a batch of next-token predictions. */
    record Batch(int[] ids, Forest forest, int[] rows, int[] targets) {
        static Batch of(int[]... sequences) {
            int tokens = 0;
            int[] lengths = new int[sequences.length];
            for (int s = 0; s < sequences.length; s++) {
                lengths[s] = sequences[s].length;
                tokens += lengths[s];
            }
            int[] ids = new int[tokens];
            int[] rows = new int[tokens - sequences.length];
            int[] targets = new int[rows.length];
            int at = 0;
            int n = 0;
            for (int[] s : sequences) {
                for (int i = 0; i < s.length; i++) {
                    ids[at + i] = s[i];
                    if (i + 1 < s.length) {
                        rows[n] = at + i;
                        targets[n++] = s[i + 1];
                    }
                }
                at += s.length;
            }
            return new Batch(ids, Forest.ofSequences(lengths), rows, targets);
        }
    }

    /** Mean negative log-likelihood of a batch; gradients are added where the tape records. */
    static double loss(Decoder model, Tape tape, Batch batch) {
        Tensor hidden = model.forward(tape, batch.ids(), batch.forest());
        TokenLogProbs p = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), model.head(),
                batch.targets());
        int n = batch.rows().length;
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum -= p.logProbs().data().get(i);
        }
        if (tape.isRecording()) {
            var seed = tape.seed(p.logProbs());
            for (int i = 0; i < n; i++) {
                seed.set(i, -1.0 / n);
            }
            tape.backward();
        }
        return sum / n;
    }
}
