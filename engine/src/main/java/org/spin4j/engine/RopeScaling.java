package org.spin4j.engine;

/**
 * How fast rotary position embedding turns each pair of a head's dimensions. The plain speeds are those of RoFormer
 * (arXiv 2104.09864, section 3.2.2): pair i turns by {@code theta^(-2i/headDim)} radians per position; the other kinds slow
 * some of them down, so that a model trained on short texts reads longer ones.
 *
 * <p>All arithmetic is in 32 bits and in transformers' order of steps, since a checkpoint was trained with exactly
 * those numbers.
 */
public sealed interface RopeScaling {
    /**
     * Radians per position.
     *
     * @param headDim dimensions of a head, even
     * @return {@code [headDim / 2]}, each one exactly a float
     */
    double[] inverseFrequencies(int headDim);

    /** No rotation: positions are learned (GPT-Neo). */
    record None() implements RopeScaling {
        @Override
        public double[] inverseFrequencies(int headDim) {
            return new double[0];
        }
    }

    /**
     * The plain speeds.
     *
     * @param theta base of the powers, usually 10000
     */
    record Plain(double theta) implements RopeScaling {
        @Override
        public double[] inverseFrequencies(int headDim) {
            double[] out = new double[headDim / 2];
            for (int i = 0; i < out.length; i++) {
                float exponent = (float) (2 * i) / headDim;
                // The power is taken in 64 bits and rounded once: a correctly rounded 32-bit power.
                out[i] = 1f / (float) Math.pow((float) theta, exponent);
            }
            return out;
        }
    }

    /**
     * All speeds divided by one factor: positions squeezed into the trained range (arXiv 2306.15595).
     *
     * @param theta  base of the powers
     * @param factor by how much the context grows
     */
    record Linear(double theta, double factor) implements RopeScaling {
        @Override
        public double[] inverseFrequencies(int headDim) {
            double[] out = new Plain(theta).inverseFrequencies(headDim);
            for (int i = 0; i < out.length; i++) {
                out[i] = (float) out[i] / (float) factor;
            }
            return out;
        }
    }

    /**
     * Llama 3.1's rule: slow waves are divided by the factor, fast ones kept, those between interpolated.
     *
     * @param theta             base of the powers
     * @param factor            by how much the context grows
     * @param lowFreqFactor     a wave longer than {@code originalPositions / lowFreqFactor} is slow
     * @param highFreqFactor    a wave shorter than {@code originalPositions / highFreqFactor} is fast
     * @param originalPositions length of the context before it grew
     */
    record Llama3(double theta, double factor, double lowFreqFactor, double highFreqFactor, int originalPositions)
            implements
                RopeScaling {
        @Override
        public double[] inverseFrequencies(int headDim) {
            double[] out = new Plain(theta).inverseFrequencies(headDim);
            float longest = (float) (originalPositions / lowFreqFactor);
            float shortest = (float) (originalPositions / highFreqFactor);
            for (int i = 0; i < out.length; i++) {
                float f = (float) out[i];
                float wave = 1f / f * (float) (2 * Math.PI);
                if (wave > longest) {
                    out[i] = f / (float) factor;
                } else if (wave >= shortest) {
                    float smooth = (1f / wave * originalPositions - (float) lowFreqFactor)
                            / (float) (highFreqFactor - lowFreqFactor);
                    out[i] = (1f - smooth) * f / (float) factor + smooth * f;
                }
            }
            return out;
        }
    }
}
