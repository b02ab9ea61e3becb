package org.spin4j.kernels.tornado;

import java.lang.foreign.MemorySegment;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Mirror;
import org.spin4j.kernels.Storage;

/**
 * An allocation of the host and its place on the device, where it lies in F32. Which of its numbers only one side knows; the rest is the same
 * on both.
 */
final class DeviceMirror implements Mirror {
    /** Ranges up to here are set to zero on both sides: cheaper than to bring them up or down. */
    private static final long SMALL = 1 << 16;

    private final DeviceMemory memory;
    private final MemorySegment host;
    private final DType type;
    private final int place;
    private final Ranges newerHere = new Ranges();
    private final Ranges newerThere = new Ranges();
    /** What calls of the epoch use. */
    private final Ranges used = new Ranges();
    private long epoch;

    DeviceMirror(DeviceMemory memory, MemorySegment host, DType type, long size, int place) {
        this.memory = memory;
        this.host = host;
        this.type = type;
        this.place = place;
        newerHere.add(0, size);
    }

    DeviceMemory memory() {
        return memory;
    }

    /** Whether the host still has the memory. */
    boolean isAlive() {
        return host.scope().isAlive();
    }

    /** A kernel reads a range: where it is. */
    int read(long from, long count) {
        // Rows of blocks go up whole.
        long block = type.block();
        long start = from / block * block;
        long end = (from + count + block - 1) / block * block;
        for (Ranges.Range r : newerHere.intersection(start, end - start)) {
            memory.upload(onHost(r.from(), r.count()), at(r.from()), used().intersects(r.from(), r.count()));
            newerHere.remove(r.from(), r.count());
        }
        used().add(from, count);
        return at(from);
    }

    /** A kernel overwrites a range: where it is. */
    int write(long from, long count) {
        newerHere.remove(from, count);
        newerThere.add(from, count);
        used().add(from, count);
        return at(from);
    }

    /** Where a number is. */
    int at(long from) {
        return Math.toIntExact(place + from);
    }

    private Storage onHost(long from, long count) {
        return Storage.wrap(host.asSlice(type.bytes(from), type.bytes(count)), type, count);
    }

    private Ranges used() {
        if (epoch != memory.epoch()) {
            epoch = memory.epoch();
            used.clear();
        }
        return used;
    }

    @Override
    public void beforeRead(long from, long count) {
        synchronized (memory) {
            for (Ranges.Range r : newerThere.intersection(from, count)) {
                memory.download(at(r.from()), host.asSlice(4 * r.from(), 4 * r.count()), r.count());
                newerThere.remove(r.from(), r.count());
            }
        }
    }

    @Override
    public void beforeWrite(long from, long count) {
        synchronized (memory) {
            // It may write to a part only.
            beforeRead(from, count);
            newerHere.add(from, count);
        }
    }

    @Override
    public void zero(long from, long count) {
        synchronized (memory) {
            boolean onDevice = type == DType.F32;
            if (onDevice) {
                write(from, count);
                memory.add(Moves.fill(at(from), count, 0));
            }
            if (!onDevice || count <= SMALL) {
                host.asSlice(type.bytes(from), type.bytes(count)).fill((byte) 0);
                newerThere.remove(from, count);
            }
            if (!onDevice) {
                newerHere.add(from, count);
            }
        }
    }

    @Override
    public boolean copy(Storage from, Storage to) {
        synchronized (memory) {
            if (type != DType.F32 || newerHere.intersects(from.offset(), from.size())) {
                return false;
            }
            memory.add(Moves.copy(memory.read(from, from.size(), "source"), memory.write(to, to.size(), "target"),
                    to.size()));
            return true;
        }
    }
}
