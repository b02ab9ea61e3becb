package org.spin4j.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.spin4j.kernels.CachedBatch;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * A decoder over a cache of keys and values. One pass takes new tokens of any number of streams, a piece of a prompt here, one
 * sampled token there; what it gives a token does not depend on how they were put together.
 */
final class CachedDecoder implements AutoCloseable {
    /** Most prompt tokens in one pass: enough for matrix products to run at full speed, few enough for other streams to wait little. */
    static final int MOST_PROMPT_TOKENS = 512;

    /**
     * New tokens of one stream.
     *
     * @param ids    tokens of the stream, of which {@code from} … {@code to} - 1 are new
     * @param logits rows of logits wanted for the token behind the last of them: 0 inside a prompt, several where several samples begin
     */
    record Piece(KvCache.Stream stream, int[] ids, int from, int to, int logits) {
        int length() {
            return to - from;
        }
    }

    private final Decoder model;
    private final Kernels kernels;
    private final KvCache cache;
    private final Workspace workspace;

    /** A cache for a model whose weights do not change until this is closed. */
    CachedDecoder(Decoder model, Kernels kernels) {
        this.model = model;
        this.kernels = kernels;
        model.pack(kernels);
        cache = new KvCache(model, model.parameters().type());
        workspace = new Workspace(model.parameters().type());
    }

    /** A stream without tokens. */
    KvCache.Stream stream() {
        return cache.stream();
    }

    /** A tape for the next pass; what the last pass gave is void. */
    Tape tape() {
        return Tape.inference(kernels, workspace);
    }

    /**
     * Runs the new tokens of all pieces and caches their keys and values.
     *
     * @return [rows, vocabulary], the rows that the pieces want, in their order; null if they want none
     */
    Tensor logits(Tape tape, List<Piece> pieces) {
        int n = pieces.size();
        int[] lengths = new int[n];
        int[] positions = new int[n];
        List<List<Storage>> pages = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Piece piece = pieces.get(i);
            lengths[i] = piece.length();
            positions[i] = piece.stream().length();
            pages.add(piece.stream().room(piece.length()));
        }
        CachedBatch batch = new CachedBatch(lengths, positions, pages);
        int[] ids = new int[batch.tokens()];
        int[] rows = new int[pieces.stream().mapToInt(Piece::logits).sum()];
        int row = 0;
        for (int i = 0; i < n; i++) {
            Piece piece = pieces.get(i);
            System.arraycopy(piece.ids(), piece.from(), ids, batch.start(i), piece.length());
            Arrays.fill(rows, row, row + piece.logits(), batch.start(i) + piece.length() - 1);
            row += piece.logits();
        }
        Tensor hidden = model.forward(tape, ids, batch.positions(), (t, qkv, shape, layer) -> {
            Tensor out = t.tensor(batch.tokens(), shape.outWidth());
            kernels.cachedAttention(batch, shape, cache.layerAt(layer), qkv.data(), out.data());
            return out;
        });
        pieces.forEach(piece -> piece.stream().grown(piece.length()));
        if (rows.length == 0) {
            return null;
        }
        return model.head().logits(tape, SelectRows.apply(tape, hidden, rows));
    }

    @Override
    public void close() {
        workspace.close();
        cache.close();
        model.unpack();
    }
}
