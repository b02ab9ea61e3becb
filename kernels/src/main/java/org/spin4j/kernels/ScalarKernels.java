package org.spin4j.kernels;

import static java.lang.Math.exp;
import static java.lang.Math.log;
import static java.lang.Math.sqrt;
import static java.lang.Math.tanh;
import static org.spin4j.kernels.CachedBatch.PAGE;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * The specification: what each kernel means, in plain loops to read beside the papers. Arithmetic is in double precision
 * and rounded when stored, for F32 and F64 storages alike; with F64 storages gradients can be checked by differences.
 * Single-threaded and slow: for understanding, for tests, and for a JVM without the Vector API.
 */
public final class ScalarKernels implements Kernels {
    /** sqrt(2/π), of GELU's tanh form. */
    private static final double GELU_SCALE = sqrt(2 / Math.PI);

    private static final double GELU_CUBIC = 0.044715;

    @Override
    public String describe() {
        return "scalar backend (plain loops, 1 thread)";
    }

    // ---- matrix products ---------------------------------------------------------------------------------------------

    private record Plain(Product product, int n, int k, Storage b) implements PackedMatrix {
        @Override
        public long bytes() {
            return b.type().bytes(b.size());
        }
    }

    @Override
    public void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend,
            Storage c) {
        need((long) m * k, a, "a");
        needRight(product, n, k, b);
        need((long) m * n, c, "c");
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int p = 0; p < k; p++) {
                    double x = a.get(product == Product.TN ? (long) p * m + i : (long) i * k + p);
                    double y = b.get(product == Product.NT ? (long) j * k + p : (long) p * n + j);
                    sum += x * y;
                }
                long at = (long) i * n + j;
                c.set(at, sum + (bias == null ? 0 : bias.get(j)) + (addend == null ? 0 : addend.get(at)));
            }
        }
    }

    @Override
    public PackedMatrix pack(Product product, int n, int k, Storage b) {
        if (product == Product.TN) {
            throw new IllegalArgumentException("expected product NN or NT for a packed right-hand side, found TN");
        }
        needRight(product, n, k, b);
        return new Plain(product, n, k, b);
    }

    @Override
    public void matmulPacked(int m, Storage a, PackedMatrix b, Storage bias, Storage addend, Storage c) {
        if (!(b instanceof Plain p)) {
            throw new IllegalArgumentException("expected a matrix packed by the scalar backend, found " + b.getClass());
        }
        matmul(p.product(), m, p.n(), p.k(), a, p.b(), bias, addend, c);
    }

    @Override
    public void columnSums(int rows, int cols, Storage x, Storage out) {
        need((long) rows * cols, x, "x");
        for (int j = 0; j < cols; j++) {
            double sum = 0;
            for (int i = 0; i < rows; i++) {
                sum += x.get((long) i * cols + j);
            }
            out.add(j, sum);
        }
    }

    @Override
    public void axpy(long n, double alpha, Storage x, Storage y) {
        for (long i = 0; i < n; i++) {
            y.add(i, alpha * x.get(i));
        }
    }

    @Override
    public double sumOfSquares(long n, Storage x) {
        double sum = 0;
        for (long i = 0; i < n; i++) {
            sum += x.get(i) * x.get(i);
        }
        return sum;
    }

    // ---- tables ------------------------------------------------------------------------------------------------------

    @Override
    public void gatherRows(int[] rows, int count, int dim, Storage table, boolean accumulate, Storage out) {
        Sizes.requireWholeRows(table, dim, "table");
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < dim; j++) {
                long at = (long) i * dim + j;
                double x = table.get((long) rows[i] * dim + j);
                out.set(at, accumulate ? out.get(at) + x : x);
            }
        }
    }

    @Override
    public void scatterAddRows(int[] rows, int count, int dim, Storage x, Storage table) {
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < dim; j++) {
                table.add((long) rows[i] * dim + j, x.get((long) i * dim + j));
            }
        }
    }

    // ---- normalisation -----------------------------------------------------------------------------------------------

    @Override
    public void rmsNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage out, Storage invRms) {
        for (int i = 0; i < rows; i++) {
            long row = (long) i * dim;
            double squares = 0;
            for (int j = 0; j < dim; j++) {
                squares += x.get(row + j) * x.get(row + j);
            }
            double inv = 1 / sqrt(squares / dim + eps);
            invRms.set(i, inv);
            for (int j = 0; j < dim; j++) {
                out.set(row + j, x.get(row + j) * inv * weight.get(j));
            }
        }
    }

    /** With y = x·r·w and r = (mean(x²)+ε)^-½: dx = r·(w·dy) - x·r³·mean(w·dy·x), dw = Σ dy·x·r. */
    @Override
    public void rmsNormBackward(int rows, int dim, Storage x, Storage weight, Storage invRms, Storage dOut, Storage dX,
            Storage dWeight) {
        for (int i = 0; i < rows; i++) {
            long row = (long) i * dim;
            double inv = invRms.get(i);
            double dot = 0;
            for (int j = 0; j < dim; j++) {
                dot += weight.get(j) * dOut.get(row + j) * x.get(row + j);
            }
            double pull = dot / dim * inv * inv * inv;
            for (int j = 0; j < dim; j++) {
                dX.add(row + j, inv * weight.get(j) * dOut.get(row + j) - x.get(row + j) * pull);
                dWeight.add(j, dOut.get(row + j) * x.get(row + j) * inv);
            }
        }
    }

    @Override
    public void headNorm(int rows, int rowStride, int heads, int headDim, double eps, Storage x, Storage weight,
            Storage before, Storage invRms) {
        for (int i = 0; i < rows * heads; i++) {
            long head = head(i, rowStride, heads, headDim);
            double squares = 0;
            for (int j = 0; j < headDim; j++) {
                squares += x.get(head + j) * x.get(head + j);
            }
            double inv = 1 / sqrt(squares / headDim + eps);
            invRms.set(i, inv);
            for (int j = 0; j < headDim; j++) {
                double v = x.get(head + j);
                if (before != null) {
                    before.set((long) i * headDim + j, v);
                }
                x.set(head + j, v * inv * weight.get(j));
            }
        }
    }

    /** As {@link #rmsNormBackward}. */
    @Override
    public void headNormBackward(int rows, int rowStride, int heads, int headDim, Storage before, Storage weight,
            Storage invRms, Storage dX, Storage dWeight) {
        for (int i = 0; i < rows * heads; i++) {
            long head = head(i, rowStride, heads, headDim);
            long x = (long) i * headDim;
            double inv = invRms.get(i);
            double dot = 0;
            for (int j = 0; j < headDim; j++) {
                dot += weight.get(j) * dX.get(head + j) * before.get(x + j);
            }
            double pull = dot / headDim * inv * inv * inv;
            for (int j = 0; j < headDim; j++) {
                double dy = dX.get(head + j);
                dX.set(head + j, inv * weight.get(j) * dy - before.get(x + j) * pull);
                dWeight.add(j, dy * before.get(x + j) * inv);
            }
        }
    }

    /** First element of head {@code i} of all rows. */
    private static long head(int i, int rowStride, int heads, int headDim) {
        return (long) (i / heads) * rowStride + (long) (i % heads) * headDim;
    }

    @Override
    public void layerNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage bias, Storage out,
            Storage mean, Storage invStd) {
        for (int i = 0; i < rows; i++) {
            long row = (long) i * dim;
            double sum = 0;
            for (int j = 0; j < dim; j++) {
                sum += x.get(row + j);
            }
            double mu = sum / dim;
            double squares = 0;
            for (int j = 0; j < dim; j++) {
                squares += (x.get(row + j) - mu) * (x.get(row + j) - mu);
            }
            double inv = 1 / sqrt(squares / dim + eps);
            mean.set(i, mu);
            invStd.set(i, inv);
            for (int j = 0; j < dim; j++) {
                out.set(row + j, (x.get(row + j) - mu) * inv * weight.get(j) + bias.get(j));
            }
        }
    }

    /** With z = (x-μ)/σ and g = w·dy: dx = (g - mean(g) - z·mean(g·z)) / σ, dw = Σ dy·z, db = Σ dy. */
    @Override
    public void layerNormBackward(int rows, int dim, Storage x, Storage weight, Storage mean, Storage invStd,
            Storage dOut, Storage dX, Storage dWeight, Storage dBias) {
        for (int i = 0; i < rows; i++) {
            long row = (long) i * dim;
            double mu = mean.get(i);
            double inv = invStd.get(i);
            double sum = 0;
            double dot = 0;
            for (int j = 0; j < dim; j++) {
                double g = weight.get(j) * dOut.get(row + j);
                sum += g;
                dot += g * (x.get(row + j) - mu) * inv;
            }
            for (int j = 0; j < dim; j++) {
                double dy = dOut.get(row + j);
                double z = (x.get(row + j) - mu) * inv;
                dX.add(row + j, (weight.get(j) * dy - sum / dim - z * dot / dim) * inv);
                dWeight.add(j, dy * z);
                dBias.add(j, dy);
            }
        }
    }

    // ---- attention ---------------------------------------------------------------------------------------------------

    @Override
    public void rope(int rows, int rowStride, int heads, int headDim, int[] positions, Storage cosSin, boolean inverse,
            Storage x) {
        int half = headDim / 2;
        for (int i = 0; i < rows; i++) {
            long angles = (long) positions[i] * headDim;
            for (int h = 0; h < heads; h++) {
                long head = (long) i * rowStride + (long) h * headDim;
                for (int j = 0; j < half; j++) {
                    double cos = cosSin.get(angles + j);
                    double sin = inverse ? -cosSin.get(angles + half + j) : cosSin.get(angles + half + j);
                    double a = x.get(head + j);
                    double b = x.get(head + half + j);
                    x.set(head + j, a * cos - b * sin);
                    x.set(head + half + j, b * cos + a * sin);
                }
            }
        }
    }

    /** Calls back with each token that token {@code i} of segment {@code s} sees, ancestors first. */
    private static void seen(Forest forest, AttentionShape shape, int s, int i, IntConsumer key) {
        if (forest.parent(s) != Forest.ROOT) {
            int p = forest.parent(s);
            ancestors(forest, shape, p, forest.position(i), key);
        }
        for (int j = forest.start(s); j <= i; j++) {
            if (inWindow(shape, forest.position(i), forest.position(j))) {
                key.accept(j);
            }
        }
    }

    private static void ancestors(Forest forest, AttentionShape shape, int s, int position,
            IntConsumer key) {
        if (forest.parent(s) != Forest.ROOT) {
            ancestors(forest, shape, forest.parent(s), position, key);
        }
        for (int j = forest.start(s); j < forest.start(s) + forest.length(s); j++) {
            if (inWindow(shape, position, forest.position(j))) {
                key.accept(j);
            }
        }
    }

    private static boolean inWindow(AttentionShape shape, int query, int key) {
        return shape.window() == 0 || query - key < shape.window();
    }

    private static double dot(int n, Storage a, long atA, Storage b, long atB) {
        double sum = 0;
        for (int d = 0; d < n; d++) {
            sum += a.get(atA + d) * b.get(atB + d);
        }
        return sum;
    }

    /** cap · tanh(x / cap), or x where there is no cap. */
    private static double capped(double x, double cap) {
        return cap == 0 ? x : cap * tanh(x / cap);
    }

    /** Derivative of {@link #capped}, from its result: 1 - tanh². */
    private static double cappedSlope(double y, double cap) {
        return cap == 0 ? 1 : 1 - y / cap * (y / cap);
    }

    /** Score of a query and a key. */
    private static double score(AttentionShape shape, Storage q, long query, Storage k, long key) {
        return capped(shape.scale() * dot(shape.headDim(), q, query, k, key), shape.softcap());
    }

    private static long query(AttentionShape a, int token, int head) {
        return (long) token * a.qkvWidth() + (long) head * a.headDim();
    }

    private static long key(AttentionShape a, int token, int head) {
        return query(a, token, a.heads() + head / (a.heads() / a.kvHeads()));
    }

    private static long value(AttentionShape a, int token, int head) {
        return key(a, token, head) + (long) a.kvHeads() * a.headDim();
    }

    @Override
    public void attention(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp) {
        need((long) forest.tokens() * shape.qkvWidth(), qkv, "qkv");
        int hd = shape.headDim();
        for (int s = 0; s < forest.segments(); s++) {
            for (int i = forest.start(s); i < forest.start(s) + forest.length(s); i++) {
                for (int h = 0; h < shape.heads(); h++) {
                    long q = query(shape, i, h);
                    int head = h;
                    double[] max = {Double.NEGATIVE_INFINITY};
                    seen(forest, shape, s, i,
                            j -> max[0] = Math.max(max[0], score(shape, qkv, q, qkv, key(shape, j, head))));
                    double[] sum = {0};
                    double[] mix = new double[hd];
                    seen(forest, shape, s, i, j -> {
                        double p = exp(score(shape, qkv, q, qkv, key(shape, j, head)) - max[0]);
                        sum[0] += p;
                        for (int d = 0; d < hd; d++) {
                            mix[d] += p * qkv.get(value(shape, j, head) + d);
                        }
                    });
                    for (int d = 0; d < hd; d++) {
                        out.set((long) i * shape.outWidth() + (long) h * hd + d, mix[d] / sum[0]);
                    }
                    logSumExp.set((long) i * shape.heads() + h, max[0] + log(sum[0]));
                }
            }
        }
    }

    /** With P = exp(S - L): dV = Pᵀ·dO, dS = P∘(dO·Vᵀ - Σ dO∘O), dQ = scale·dS·K, dK = scale·dSᵀ·Q; dS times 1 - (S/cap)² under a cap. */
    @Override
    public void attentionBackward(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp,
            Storage dOut, Storage dQkv) {
        int hd = shape.headDim();
        for (long i = 0; i < (long) forest.tokens() * shape.qkvWidth(); i++) {
            dQkv.set(i, 0);
        }
        for (int s = 0; s < forest.segments(); s++) {
            for (int i = forest.start(s); i < forest.start(s) + forest.length(s); i++) {
                for (int h = 0; h < shape.heads(); h++) {
                    int head = h;
                    long q = query(shape, i, h);
                    long o = (long) i * shape.outWidth() + (long) h * hd;
                    double delta = dot(hd, dOut, o, out, o);
                    double lse = logSumExp.get((long) i * shape.heads() + h);
                    seen(forest, shape, s, i, j -> {
                        long k = key(shape, j, head);
                        long v = value(shape, j, head);
                        double score = score(shape, qkv, q, qkv, k);
                        double p = exp(score - lse);
                        double dScore = p * (dot(hd, dOut, o, qkv, v) - delta) * shape.scale()
                                * cappedSlope(score, shape.softcap());
                        for (int d = 0; d < hd; d++) {
                            dQkv.add(v + d, p * dOut.get(o + d));
                            dQkv.add(q + d, dScore * qkv.get(k + d));
                            dQkv.add(k + d, dScore * qkv.get(q + d));
                        }
                    });
                }
            }
        }
    }

    @Override
    public void cachedAttention(CachedBatch batch, AttentionShape shape, long layer, Storage qkv, Storage out) {
        need((long) batch.tokens() * shape.qkvWidth(), qkv, "qkv");
        batch.forEachPage(page -> need(Math.addExact(layer, shape.pageSize()), page, "page"));
        for (int s = 0; s < batch.streams(); s++) {
            for (int i = 0; i < batch.length(s); i++) {
                int token = batch.start(s) + i;
                int last = batch.position(s) + i;
                cache(batch.page(s, last / PAGE), last % PAGE, shape, layer, token, qkv);
                for (int h = 0; h < shape.heads(); h++) {
                    cachedHead(batch, s, last, shape, layer, h, qkv, query(shape, token, h), out,
                            (long) token * shape.outWidth() + (long) h * shape.headDim());
                }
            }
        }
    }

    private static void cache(Storage page, int place, AttentionShape shape, long layer, int token, Storage qkv) {
        int group = shape.heads() / shape.kvHeads();
        for (int h = 0; h < shape.kvHeads(); h++) {
            for (int d = 0; d < shape.headDim(); d++) {
                page.set(CachedBatch.key(layer, shape, h, place, d), qkv.get(key(shape, token, h * group) + d));
                page.set(CachedBatch.value(layer, shape, h, place, d), qkv.get(value(shape, token, h * group) + d));
            }
        }
    }

    private static void cachedHead(CachedBatch batch, int s, int last, AttentionShape shape, long layer, int head,
            Storage qkv, long query, Storage out, long at) {
        int hd = shape.headDim();
        int kvHead = head / (shape.heads() / shape.kvHeads());
        int first = shape.window() == 0 ? 0 : Math.max(0, last - shape.window() + 1);
        double[] scores = new double[last + 1];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = first; j <= last; j++) {
            double dot = 0;
            for (int d = 0; d < hd; d++) {
                dot += qkv.get(query + d)
                        * batch.page(s, j / PAGE).get(CachedBatch.key(layer, shape, kvHead, j % PAGE, d));
            }
            scores[j] = capped(shape.scale() * dot, shape.softcap());
            max = Math.max(max, scores[j]);
        }
        double sum = 0;
        double[] mix = new double[hd];
        for (int j = first; j <= last; j++) {
            double p = exp(scores[j] - max);
            sum += p;
            for (int d = 0; d < hd; d++) {
                mix[d] += p * batch.page(s, j / PAGE).get(CachedBatch.value(layer, shape, kvHead, j % PAGE, d));
            }
        }
        for (int d = 0; d < hd; d++) {
            out.set(at + d, mix[d] / sum);
        }
    }

    // ---- activations -------------------------------------------------------------------------------------------------

    private static double sigmoid(double x) {
        return 1 / (1 + exp(-x));
    }

    @Override
    public void swiGlu(int rows, int hidden, Storage gateUp, Storage out) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < hidden; j++) {
                double gate = gateUp.get(2L * i * hidden + j);
                double up = gateUp.get(2L * i * hidden + hidden + j);
                out.set((long) i * hidden + j, gate * sigmoid(gate) * up);
            }
        }
    }

    /** silu'(g) = σ(g)·(1 + g·(1 - σ(g))). */
    @Override
    public void swiGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < hidden; j++) {
                double gate = gateUp.get(2L * i * hidden + j);
                double up = gateUp.get(2L * i * hidden + hidden + j);
                double dy = dOut.get((long) i * hidden + j);
                double s = sigmoid(gate);
                dGateUp.set(2L * i * hidden + j, dy * up * s * (1 + gate * (1 - s)));
                dGateUp.set(2L * i * hidden + hidden + j, dy * gate * s);
            }
        }
    }

    @Override
    public void geGlu(int rows, int hidden, Storage gateUp, Storage out) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < hidden; j++) {
                double up = gateUp.get(2L * i * hidden + hidden + j);
                out.set((long) i * hidden + j, gelu(gateUp.get(2L * i * hidden + j)) * up);
            }
        }
    }

    @Override
    public void geGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < hidden; j++) {
                double gate = gateUp.get(2L * i * hidden + j);
                double up = gateUp.get(2L * i * hidden + hidden + j);
                double dy = dOut.get((long) i * hidden + j);
                dGateUp.set(2L * i * hidden + j, dy * up * geluSlope(gate));
                dGateUp.set(2L * i * hidden + hidden + j, dy * gelu(gate));
            }
        }
    }

    private static double gelu(double v) {
        return 0.5 * v * (1 + tanh(GELU_SCALE * (v + GELU_CUBIC * v * v * v)));
    }

    private static double geluSlope(double v) {
        double t = tanh(GELU_SCALE * (v + GELU_CUBIC * v * v * v));
        double inner = GELU_SCALE * (1 + 3 * GELU_CUBIC * v * v);
        return 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * inner;
    }

    @Override
    public void gelu(long n, Storage x, Storage out) {
        for (long i = 0; i < n; i++) {
            out.set(i, gelu(x.get(i)));
        }
    }

    @Override
    public void geluBackward(long n, Storage x, Storage dOut, Storage dX) {
        for (long i = 0; i < n; i++) {
            dX.set(i, dOut.get(i) * geluSlope(x.get(i)));
        }
    }

    @Override
    public void dropout(long n, double p, long key, Storage x) {
        DropoutMask mask = DropoutMask.of(p, key);
        for (long i = 0; i < n; i++) {
            x.set(i, mask.keeps(i) ? x.get(i) * mask.scale() : 0);
        }
    }

    // ---- log-probabilities -------------------------------------------------------------------------------------------

    @Override
    public void tokenLogProbs(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logProbs, Storage logSumExp, Storage entropy, int[] argmax) {
        Sizes.requireWholeRows(head, dim, "head");
        for (int i = 0; i < rows; i++) {
            if (targets[i] < 0 || targets[i] >= vocab) {
                throw new IllegalArgumentException("expected targets from 0 to " + (vocab - 1) + ", found " + targets[i]
                        + " at row " + i);
            }
            double max = Double.NEGATIVE_INFINITY;
            int best = 0;
            for (int t = 0; t < vocab; t++) {
                double logit = capped(dot(dim, hidden, (long) i * dim, head, (long) t * dim), softcap);
                if (logit > max) {
                    max = logit;
                    best = t;
                }
            }
            double sum = 0;
            double weighted = 0;
            double target = 0;
            for (int t = 0; t < vocab; t++) {
                double logit = capped(dot(dim, hidden, (long) i * dim, head, (long) t * dim), softcap);
                sum += exp(logit - max);
                weighted += exp(logit - max) * logit;
                target = t == targets[i] ? logit : target;
            }
            double lse = max + log(sum);
            logSumExp.set(i, lse);
            logProbs.set(i, target - lse);
            if (entropy != null) {
                entropy.set(i, lse - weighted / sum);
            }
            if (argmax != null) {
                argmax[i] = best;
            }
        }
    }

    @Override
    public void tokenLogProbsBackward(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logSumExp, Storage dLogProbs, Storage dHidden, Storage dHead) {
        double[] dRow = new double[dim];
        for (int i = 0; i < rows; i++) {
            Arrays.fill(dRow, 0);
            for (int t = 0; t < vocab; t++) {
                double logit = capped(dot(dim, hidden, (long) i * dim, head, (long) t * dim), softcap);
                double dLogit = dLogProbs.get(i) * ((t == targets[i] ? 1 : 0) - exp(logit - logSumExp.get(i)))
                        * cappedSlope(logit, softcap);
                for (int d = 0; d < dim; d++) {
                    dRow[d] += dLogit * head.get((long) t * dim + d);
                    dHead.add((long) t * dim + d, dLogit * hidden.get((long) i * dim + d));
                }
            }
            for (int d = 0; d < dim; d++) {
                dHidden.set((long) i * dim + d, dRow[d]);
            }
        }
    }

    @Override
    public void softcap(long n, double cap, Storage x) {
        for (long i = 0; i < n; i++) {
            x.set(i, capped(x.get(i), cap));
        }
    }

    @Override
    public void softmaxRows(int rows, int cols, double scale, Storage x, Storage logSumExp) {
        for (int i = 0; i < rows; i++) {
            long row = (long) i * cols;
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < cols; j++) {
                max = Math.max(max, scale * x.get(row + j));
            }
            double sum = 0;
            for (int j = 0; j < cols; j++) {
                sum += exp(scale * x.get(row + j) - max);
            }
            double lse = max + log(sum);
            logSumExp.set(i, lse);
            for (int j = 0; j < cols; j++) {
                x.set(row + j, exp(scale * x.get(row + j) - lse));
            }
        }
    }

    @Override
    public void argmaxRows(int rows, int cols, Storage x, int[] argmax) {
        for (int i = 0; i < rows; i++) {
            long row = (long) i * cols;
            int best = 0;
            for (int j = 1; j < cols; j++) {
                if (x.get(row + j) > x.get(row + best)) {
                    best = j;
                }
            }
            argmax[i] = best;
        }
    }

    @Override
    public void repetitionPenalty(int[] places, int count, double penalty, Storage x) {
        for (int i = 0; i < count; i++) {
            double logit = x.get(places[i]);
            x.set(places[i], logit < 0 ? logit * penalty : logit / penalty);
        }
    }

    @Override
    public void sampleRows(int rows, int cols, int topK, double topP, double minP, Storage p, double[] uniforms,
            int[] drawn) {
        for (int i = 0; i < rows; i++) {
            long[] shares = new long[cols];
            for (int j = 0; j < cols; j++) {
                shares[j] = Shares.of((float) p.get((long) i * cols + j));
            }
            long least = least(shares, topK, topP, minP);
            long left = Shares.part(sum(shares, least), Shares.fraction(uniforms[i]));
            drawn[i] = 0;
            for (int j = 0; j < cols && left >= 0; j++) {
                if (shares[j] >= least) {
                    left -= shares[j];
                    drawn[i] = j;
                }
            }
        }
    }

    /** The least share, above 0, that the filters let through. */
    private static long least(long[] shares, int topK, double topP, double minP) {
        long[] sorted = shares.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        long least = 1;
        if (topK > 0 && topK < n) {
            least = Math.max(least, sorted[n - topK]);
        }
        if (topP < 1) {
            long wanted = Shares.part(sum(shares, least), Shares.fraction(topP));
            long sum = 0;
            int place = n;
            while (place > 0 && sum < Math.max(1, wanted)) {
                sum += sorted[--place];
            }
            least = Math.max(least, sorted[place]);
        }
        return Math.max(least, Shares.part(sorted[n - 1], Shares.fraction(minP)));
    }

    private static long sum(long[] shares, long least) {
        return Arrays.stream(shares).filter(share -> share >= least).sum();
    }

    // ---- optimisers --------------------------------------------------------------------------------------------------

    @Override
    public void adamW(long n, Storage param, Storage grad, Storage m, Storage v, double lr, double beta1, double beta2,
            double eps, double weightDecay, double gradScale, int step) {
        double correction1 = 1 - Math.pow(beta1, step);
        double correction2 = sqrt(1 - Math.pow(beta2, step));
        for (long i = 0; i < n; i++) {
            double g = grad.get(i) * gradScale;
            m.set(i, beta1 * m.get(i) + (1 - beta1) * g);
            v.set(i, beta2 * v.get(i) + (1 - beta2) * g * g);
            double p = param.get(i) * (1 - lr * weightDecay);
            param.set(i, p - lr / correction1 * m.get(i) / (sqrt(v.get(i)) / correction2 + eps));
        }
    }

    @Override
    public void rmsProp(long n, Storage param, Storage grad, Storage v, double lr, double alpha, double eps,
            double weightDecay, double gradScale) {
        for (long i = 0; i < n; i++) {
            double g = grad.get(i) * gradScale + weightDecay * param.get(i);
            v.set(i, alpha * v.get(i) + (1 - alpha) * g * g);
            param.add(i, -lr * g / (sqrt(v.get(i)) + eps));
        }
    }

    private static void needRight(Product product, int n, int k, Storage b) {
        if (product == Product.NT) {
            Sizes.requireWholeRows(b, k, "b");
        } else if (b.type() != DType.F32 && b.type() != DType.F64) {
            throw new IllegalArgumentException("expected b of a product " + product + " as F32 or F64, found "
                    + b.type());
        }
        need((long) n * k, b, "b");
    }

    private static void need(long count, Storage s, String operand) {
        if (s.size() < count) {
            throw new IllegalArgumentException("expected at least " + count + " elements in " + operand + ", found "
                    + s.size());
        }
    }
}
