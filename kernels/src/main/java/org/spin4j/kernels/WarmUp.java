package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.util.List;
import org.spin4j.kernels.Kernels.Product;

/**
 * Has the JIT compiler make the kernels of a decoder's forward pass before they are needed, while files are being opened. A vector that
 * the interpreter adds up is an object made by a chain of calls, about a thousand times slower than the instruction it becomes; worse, those
 * chains then look busy enough to be compiled themselves. A few numbers through each kernel cost next to nothing.
 */
public final class WarmUp {
    /** Passes after which the compiler has every kernel, where the JVM was told to compile kernels early. */
    private static final int PASSES = 15;
    /** One row as in decoding; six, which are a whole tile of four and a part of one. */
    private static final int[] ROWS = {1, 6};
    private static final int MOST_ROWS = 6;
    private static final int HEAD_DIM = 64;
    private static final AttentionShape SHAPE = new AttentionShape(2, 1, HEAD_DIM, 0.125, 0);
    /** Two stretches of k, which a product adds up. */
    private static final int DIM = 64;
    private static final double EPS = 1e-5;

    private WarmUp() {}

    /**
     * Starts to warm up the vector backend in a thread of its own, which ends by itself.
     *
     * @param weights type of the matrices that will be multiplied
     */
    public static void start(DType weights) {
        Thread.ofPlatform().daemon().name("spin4j-warm-up").start(() -> {
            try {
                run(new VectorKernels(1), weights);
            } catch (UnsupportedOperationException e) {
                // Whoever chooses a backend says so.
            }
        });
    }

    private static void run(Kernels k, DType weights) {
        try (Arena arena = Arena.ofConfined()) {
            Storage x = f32(arena, DIM);
            Storage y = f32(arena, DIM);
            Storage wide = f32(arena, 2 * DIM);
            Storage qkv = f32(arena, SHAPE.qkvWidth());
            Storage mix = f32(arena, SHAPE.outWidth());
            Storage ones = f32(arena, DIM);
            Storage cosSin = f32(arena, HEAD_DIM);
            Storage page = Storage.allocate(arena, DType.F32, SHAPE.pageSize());
            Storage w = Storage.allocate(arena, weights, (long) SHAPE.qkvWidth() * DIM);
            for (int pass = 0; pass < PASSES; pass++) {
                for (int m : ROWS) {
                    CachedBatch batch = new CachedBatch(new int[]{m}, new int[]{0}, List.of(List.of(page)));
                    k.gatherRows(new int[m], m, DIM, w, false, x);
                    k.rmsNorm(m, DIM, EPS, x, ones, y, wide);
                    k.matmul(Product.NT, m, SHAPE.qkvWidth(), DIM, y, w, null, null, qkv);
                    k.rope(m, SHAPE.qkvWidth(), SHAPE.heads() + SHAPE.kvHeads(), HEAD_DIM, new int[m], cosSin, false,
                            qkv);
                    k.cachedAttention(batch, SHAPE, 0, qkv, mix);
                    k.matmul(Product.NT, m, DIM, DIM, mix, w, null, x, y);
                    k.matmul(Product.NT, m, 2 * DIM, DIM, y, w, null, null, wide);
                    k.swiGlu(m, DIM, wide, x);
                    k.argmaxRows(m, DIM, x, new int[m]);
                    k.softmaxRows(m, DIM, 1, x, y);
                }
            }
        }
    }

    private static Storage f32(Arena arena, int cols) {
        return Storage.allocate(arena, DType.F32, (long) MOST_ROWS * cols);
    }
}
