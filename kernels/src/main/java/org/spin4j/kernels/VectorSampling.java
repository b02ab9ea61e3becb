package org.spin4j.kernels;

import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.set;
import static org.spin4j.kernels.VectorMemory.splat;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Draws of tokens: rows side by side, and sums of {@link Shares} in vectors. */
final class VectorSampling {
    /** Columns whose sum is kept, so that the column that is drawn is looked for among these alone. */
    private static final int BLOCK = 256;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final FloatVector ZERO = splat(0);

    private final Parallel parallel;

    VectorSampling(Parallel parallel) {
        this.parallel = parallel;
    }

    static void repetitionPenalty(int[] places, int count, float penalty, long x) {
        for (int i = 0; i < count; i++) {
            long at = x + places[i] * 4L;
            float logit = get(at);
            set(at, logit < 0 ? logit * penalty : logit / penalty);
        }
    }

    void sample(int rows, int cols, int topK, double topP, double minP, long p, double[] uniforms, int[] drawn) {
        int perTask = (int) Chunks.rowsPerChunk(4L * cols);
        parallel.forEach(Chunks.count(rows, perTask), task -> {
            for (int i = task * perTask; i < Math.min(rows, (task + 1) * perTask); i++) {
                long row = p + (long) i * cols * 4;
                long least = 1;
                if (topK > 0 && topK < cols) {
                    least = Math.max(least, greatest(cols, topK, row));
                }
                if (topP < 1) {
                    least = Math.max(least, nucleus(cols, least, topP, row));
                }
                if (minP > 0) {
                    least = Math.max(least, Shares.part(greatest(cols, 1, row), Shares.fraction(minP)));
                }
                drawn[i] = draw(cols, least, uniforms[i], row);
            }
        });
    }

    private static int draw(int n, long least, double uniform, long row) {
        float floor = floor(least);
        long[] sums = new long[(n + BLOCK - 1) / BLOCK];
        long total = 0;
        for (int b = 0; b < sums.length; b++) {
            sums[b] = blockSum(Math.min(BLOCK, n - b * BLOCK), floor, row + 4L * b * BLOCK);
            total += sums[b];
        }
        long left = Shares.part(total, Shares.fraction(uniform));
        int block = 0;
        while (block < sums.length - 1 && sums[block] <= left) {
            left -= sums[block++];
        }
        for (int j = block * BLOCK; j < n; j++) {
            float p = get(row + j * 4L);
            if (p >= floor) {
                left -= Shares.of(p);
                if (left < 0) {
                    return j;
                }
            }
        }
        return 0;
    }

    /** The least probability of so many shares or more. */
    private static float floor(long shares) {
        double exact = shares * 0x1p-40;
        float nearest = (float) exact;
        return nearest < exact ? Math.nextUp(nearest) : nearest;
    }

    private static long sum(int n, float floor, long row) {
        long sum = 0;
        for (int from = 0; from < n; from += BLOCK) {
            sum += blockSum(Math.min(BLOCK, n - from), floor, row + from * 4L);
        }
        return sum;
    }

    /** The sum of the {@link Shares} from a floor on; their halves add up side by side, and so few of them that an int is enough. */
    private static long blockSum(int n, float floor, long row) {
        IntVector uppers = IntVector.zero(INTS);
        IntVector lowers = uppers;
        int j = 0;
        for (; j + LANES <= n; j += LANES) {
            FloatVector p = load(row + j * 4L);
            FloatVector scaled = ZERO.blend(p, p.compare(VectorOperators.GE, floor)).mul(0x1p20f);
            IntVector upper = (IntVector) scaled.convert(VectorOperators.F2I, 0);
            FloatVector rest = scaled.sub(upper.convert(VectorOperators.I2F, 0));
            uppers = uppers.add(upper);
            lowers = lowers.add(rest.mul(0x1p20f).convert(VectorOperators.F2I, 0));
        }
        long sum = ((long) uppers.reduceLanes(VectorOperators.ADD) << 20) + lowers.reduceLanes(VectorOperators.ADD);
        for (; j < n; j++) {
            float p = get(row + j * 4L);
            sum += p >= floor ? Shares.of(p) : 0;
        }
        return sum;
    }

    /** The shares of the k-th greatest probability. Few pass the floor that those before them set: they alone are sorted. */
    private static long greatest(int n, int k, long row) {
        float[] most = new float[2 * k + 64];
        int count = 0;
        float floor = 0;
        for (int j = 0; j < n; j++) {
            float p = get(row + j * 4L);
            if (p > floor) {
                if (count == most.length) {
                    Arrays.sort(most);
                    System.arraycopy(most, count - k, most, 0, k);
                    count = k;
                    floor = most[0];
                }
                most[count++] = p;
            }
        }
        Arrays.sort(most, 0, count);
        return count < k ? 0 : Shares.of(most[count - k]);
    }

    /**
     * The least of the fewest greatest shares that add up to {@code topP} of all from {@code least} on. Probabilities so small that even n
     * of them would not make up the rest are never among them, and are not sorted.
     */
    private static long nucleus(int n, long least, double topP, long row) {
        long total = sum(n, floor(least), row);
        long wanted = Math.max(1, Shares.part(total, Shares.fraction(topP)));
        float worthSorting = floor(Math.max(least, (total - wanted) / n));
        float[] sorted = new float[n];
        int count = 0;
        for (int j = 0; j < n; j++) {
            float p = get(row + j * 4L);
            if (p >= worthSorting) {
                sorted[count++] = p;
            }
        }
        Arrays.sort(sorted, 0, count);
        long sum = 0;
        int place = count;
        while (place > 0 && sum < wanted) {
            sum += Shares.of(sorted[--place]);
        }
        return place < count ? Shares.of(sorted[place]) : least;
    }
}
