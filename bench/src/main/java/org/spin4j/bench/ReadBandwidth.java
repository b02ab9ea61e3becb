package org.spin4j.bench;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.spin4j.kernels.Parallel;
import org.spin4j.kernels.Storage;

/**
 * The most that the cores can read from memory: the sum of a storage far larger than the caches, by vectors. A matrix times
 * one vector reads every weight once, so its rate is read as a share of this one.
 */
final class ReadBandwidth implements Runnable {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int BYTES = SPECIES.vectorByteSize();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** What a thread reads in one go. */
    private static final long CHUNK_BYTES = 256 << 10;

    private final Parallel parallel;
    private final MemorySegment memory;
    private final int chunks;
    private final long nextStream;
    private final long nextLoad;
    private final float[] sums;

    /**
     * Reads all whole chunks of {@code storage}.
     *
     * @param streams places at which a chunk is read at the same time: 1, or 4, which a core's prefetchers may follow better or worse
     */
    ReadBandwidth(int threads, Storage storage, int streams) {
        if (streams != 1 && streams != 4) {
            throw new IllegalArgumentException("expected 1 or 4 streams, found " + streams);
        }
        nextStream = streams == 1 ? BYTES : CHUNK_BYTES / 4;
        nextLoad = streams == 1 ? 4L * BYTES : BYTES;
        parallel = new Parallel(threads);
        memory = storage.segment();
        chunks = Math.toIntExact(memory.byteSize() / CHUNK_BYTES);
        sums = new float[chunks];
    }

    /** Bytes read by one {@link #run}. */
    double bytes() {
        return (double) chunks * CHUNK_BYTES;
    }

    @Override
    public void run() {
        parallel.forEach(chunks,
                i -> sums[i] = sum(memory.asSlice(i * CHUNK_BYTES, CHUNK_BYTES), nextStream, nextLoad));
    }

    private static float sum(MemorySegment chunk, long nextStream, long nextLoad) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = FloatVector.zero(SPECIES);
        FloatVector s2 = FloatVector.zero(SPECIES);
        FloatVector s3 = FloatVector.zero(SPECIES);
        for (long i = 0, at = 0; i < CHUNK_BYTES / 4 / BYTES; i++, at += nextLoad) {
            s0 = s0.add(FloatVector.fromMemorySegment(SPECIES, chunk, at, ORDER));
            s1 = s1.add(FloatVector.fromMemorySegment(SPECIES, chunk, at + nextStream, ORDER));
            s2 = s2.add(FloatVector.fromMemorySegment(SPECIES, chunk, at + 2 * nextStream, ORDER));
            s3 = s3.add(FloatVector.fromMemorySegment(SPECIES, chunk, at + 3 * nextStream, ORDER));
        }
        return s0.add(s1).add(s2.add(s3)).lane(0);
    }
}
