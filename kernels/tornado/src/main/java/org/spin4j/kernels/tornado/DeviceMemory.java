package org.spin4j.kernels.tornado;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Mirror;
import org.spin4j.kernels.Storage;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * Which allocation of the host lies where on the device, and on which side its numbers are the newer ones. What kernels read goes up before
 * they run, in F32; what they write stays there until the host asks for it. A kernel asks for the places of its operands, then is added.
 *
 * <p>One lock for everything: a host thread that reads a storage and the one that computes meet here.
 */
final class DeviceMemory {
    /** Numbers that go up with one call at most. */
    private static final int PIECE = 1_000_000;
    /** Numbers that go up among other calls at most, in order; more of them run by themselves. */
    private static final int FEW = 4096;

    private static final int LEAST_SCRATCH = 1 << 16;
    /** Pieces of scratch memory begin on a line of memory of their own. */
    private static final int ALIGNED = 32;

    private record Block(int place, int size) {}

    private record Resident(WeakReference<?> owner, int place, long size) {
        boolean isDead() {
            Object o = owner.get();
            return o == null || o instanceof DeviceMirror mirror && !mirror.isAlive();
        }
    }

    private final Places places;
    private final DeviceArena arena;
    private final Recorder recorder;
    private List<Resident> residents = new ArrayList<>();
    private final List<Block> scratch = new ArrayList<>();
    private int scratchBlock;
    private int scratchUsed;
    private long uploaded;
    private long downloaded;

    DeviceMemory(TornadoDevice device, int size, boolean profiled) {
        places = new Places(size);
        arena = new DeviceArena(device, size, profiled);
        recorder = new Recorder(arena);
    }

    /** Numbers that the device has room for. */
    int size() {
        return places.size();
    }

    /** Numbers that went from the host to the device so far, those in the arguments of kernels not counted. */
    synchronized long uploaded() {
        return uploaded;
    }

    /** Numbers that came back to the host so far. */
    synchronized long downloaded() {
        return downloaded;
    }

    /** Graphs of TornadoVM that ran so far. */
    synchronized long pieces() {
        return recorder.pieces();
    }

    /** Kernels that ran so far. */
    synchronized long kernels() {
        return recorder.kernels();
    }

    /** Bytes that went to the device, arguments of kernels and all, as TornadoVM's profiler saw them; 0 where it is off. */
    synchronized long bytesIn() {
        return arena.bytesIn();
    }

    // ---- operands of kernels --------------------------------------------------------------------------------------------

    /** Where the first {@code count} numbers are, for a kernel that reads them; {@link DeviceCall#NONE} for null. */
    synchronized int read(Storage s, long count, String operand) {
        if (s == null) {
            return DeviceCall.NONE;
        }
        return mirror(s, count, operand).read(s.offset(), count);
    }

    /** The same for a kernel that overwrites all of them. */
    synchronized int write(Storage s, long count, String operand) {
        return s == null ? DeviceCall.NONE : f32(s, count, operand).write(s.offset(), count);
    }

    /** The same for a kernel that reads and changes them. */
    synchronized int update(Storage s, long count, String operand) {
        if (s == null) {
            return DeviceCall.NONE;
        }
        DeviceMirror mirror = f32(s, count, operand);
        mirror.read(s.offset(), count);
        return mirror.write(s.offset(), count);
    }

    /** As {@link #read}, of F32 alone. */
    synchronized int readF32(Storage s, long count, String operand) {
        return f32(s, count, operand).read(s.offset(), count);
    }

    /** As {@link #update}, of numbers in the middle: where number 0 of the storage is. */
    synchronized int update(Storage s, long from, long count, String operand) {
        DeviceMirror mirror = f32(s, Math.addExact(from, count), operand);
        mirror.read(s.offset() + from, count);
        mirror.write(s.offset() + from, count);
        return mirror.at(s.offset());
    }

    private DeviceMirror f32(Storage s, long count, String operand) {
        if (s.type() != DType.F32) {
            throw new IllegalArgumentException("expected " + operand + " as F32, found " + s.type()
                    + "; the tornado backend computes in F32 only");
        }
        return mirror(s, count, operand);
    }

    private DeviceMirror mirror(Storage s, long count, String operand) {
        require(s, count, operand);
        Mirror mirror = s.mirror(all -> newMirror(all, s.type()));
        if (mirror instanceof DeviceMirror here && here.memory() == this) {
            return here;
        }
        throw new IllegalArgumentException("expected " + operand + " to belong to one device, found it on another");
    }

    private static void require(Storage s, long count, String operand) {
        if (s.size() < count) {
            throw new IllegalArgumentException("expected at least " + count + " elements in " + operand + ", found "
                    + s.size());
        }
        if (s.type() == DType.F64) {
            throw new IllegalArgumentException("expected " + operand + " as F32, BF16, F16 or Q8_0, found " + s.type()
                    + "; the tornado backend computes in F32 only");
        }
    }

    private DeviceMirror newMirror(MemorySegment all, DType type) {
        long size = all.byteSize() / type.blockBytes() * type.block();
        int place = take(size);
        DeviceMirror mirror = new DeviceMirror(this, all, type, size, place);
        residents.add(new Resident(new WeakReference<>(mirror), place, size));
        return mirror;
    }

    /** A copy of the numbers on the device alone, given back when {@code owner} is garbage. */
    synchronized int keep(Object owner, Storage s, long count, String operand) {
        require(s, count, operand);
        int place = take(count);
        residents.add(new Resident(new WeakReference<>(owner), place, count));
        if (s.mirror(all -> null) == null) {
            upload(s.slice(0, count), place, false);
        } else {
            recorder.add(Moves.copy(read(s, count, operand), place, count));
        }
        return place;
    }

    /** Begins the calls of one kernel: what {@link #scratch} gave to those before is free. */
    synchronized void begin() {
        if (scratchBlock > 0) {
            // Next time all of it fits in one block.
            recorder.run();
            int size = scratch.stream().mapToInt(Block::size).sum();
            scratch.forEach(block -> places.give(block.place(), block.size()));
            scratch.clear();
            scratch.add(new Block(take(size), size));
        }
        scratchBlock = 0;
        scratchUsed = 0;
    }

    /** Room for what one call leaves to the next ones of the same kernel, or to {@link #fetch}. */
    synchronized int scratch(int size) {
        while (scratchBlock < scratch.size() && scratch.get(scratchBlock).size() - scratchUsed < size) {
            scratchBlock++;
            scratchUsed = 0;
        }
        if (scratchBlock == scratch.size()) {
            int room = Math.max(size, LEAST_SCRATCH);
            scratch.add(new Block(take(room), room));
        }
        int at = scratch.get(scratchBlock).place() + scratchUsed;
        scratchUsed += (size + ALIGNED - 1) / ALIGNED * ALIGNED;
        return at;
    }

    private int take(long size) {
        if (!places.hasUsed(size)) {
            sweep();
        }
        int place = places.take(size);
        if (place == Places.NONE) {
            throw new OutOfDeviceMemoryException(size, places.taken(), places.size());
        }
        return place;
    }

    /** Gives back the places of memory that the host has freed. */
    private void sweep() {
        List<Resident> dead = residents.stream().filter(Resident::isDead).toList();
        if (dead.isEmpty()) {
            return;
        }
        // Calls that wait may still use them.
        recorder.run();
        residents = new ArrayList<>(residents.stream().filter(r -> !dead.contains(r)).toList());
        dead.forEach(r -> places.give(r.place(), r.size()));
    }

    // ---- calls ----------------------------------------------------------------------------------------------------------

    /** Adds calls to those that wait. */
    synchronized void add(List<DeviceCall> calls) {
        recorder.add(calls);
    }

    /** What repeats in a model begins here. */
    synchronized void mark() {
        recorder.mark();
    }

    /** Numbers on the device, after all calls so far. */
    synchronized float[] fetch(int place, int count) {
        recorder.run();
        downloaded += count;
        return arena.read(place, count).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    // ---- what mirrors ask for -------------------------------------------------------------------------------------------

    long epoch() {
        return recorder.epoch();
    }

    /** Brings numbers of the device to the host, after all calls so far. */
    void download(int place, MemorySegment to, long count) {
        recorder.run();
        downloaded += count;
        for (long at = 0; at < count; at += PIECE) {
            int n = (int) Math.min(PIECE, count - at);
            to.asSlice(4 * at, 4L * n).copyFrom(arena.read(Math.toIntExact(place + at), n));
        }
    }

    /**
     * Brings numbers of the host to the device.
     *
     * @param inOrder whether calls that wait use the place
     */
    void upload(Storage from, int place, boolean inOrder) {
        uploaded += from.size();
        boolean few = from.size() <= FEW;
        if (inOrder && !few) {
            recorder.run();
        }
        for (long at = 0; at < from.size(); at += PIECE) {
            Storage piece = from.slice(at, Math.min(PIECE, from.size() - at));
            List<DeviceCall> put = Moves.put(Math.toIntExact(place + at), floats(piece));
            if (inOrder && few) {
                recorder.add(put);
            } else {
                recorder.runNow(put);
            }
        }
    }

    private static float[] floats(Storage s) {
        try (Arena arena = Arena.ofConfined()) {
            Storage wide = s;
            if (s.type() != DType.F32) {
                wide = Storage.allocate(arena, DType.F32, s.size());
                wide.convertFrom(s);
            }
            return wide.readOnlySegment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        }
    }
}
