package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Collects calls until somebody must see a result, then runs them in order. They are cut at {@link #mark}s, which stand where a model's
 * layers repeat: so all layers are runs of few {@link Replay}s, and a sequence never seen before is mostly made of pieces seen before.
 */
final class Recorder {
    /** The most calls of a replay: TornadoVM takes 256 tasks, but compiles each of them anew. */
    private static final int MOST = 32;

    /** The most calls of a replay of one kernel alone, a power of two. */
    private static final int MOST_OF_ONE = 8;

    private final DeviceArena arena;
    private final Map<Replay.Key, Replay> replays = new HashMap<>();
    private final List<DeviceCall> calls = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private long epoch;
    private long pieces;
    private long kernels;

    Recorder(DeviceArena arena) {
        this.arena = arena;
    }

    void add(List<DeviceCall> more) {
        calls.addAll(more);
    }

    /** What repeats begins here. */
    void mark() {
        marks.add(calls.size());
    }

    /** Number of the calls that wait: another after each {@link #run}. */
    long epoch() {
        return epoch;
    }

    /** Replays that have run. */
    long pieces() {
        return pieces;
    }

    /** Kernels that have run. */
    long kernels() {
        return kernels;
    }

    /** Runs calls at once, before those that wait; they must have nothing to do with them. */
    void runNow(List<DeviceCall> some) {
        if (!some.isEmpty()) {
            pieces++;
            kernels += some.size();
            Replay.Key key = Replay.Key.of(some);
            try {
                replays.computeIfAbsent(key, k -> new Replay(arena, "spin4j" + replays.size(), k, some)).run(some);
            } catch (RuntimeException e) {
                throw new UnsupportedOperationException("expected TornadoVM to compile and run the kernels "
                        + new LinkedHashSet<>(key.names()) + ", found " + e
                        + "; choose another device or backend=vector", e);
            }
        }
    }

    /** Runs all calls that wait. */
    void run() {
        if (calls.isEmpty()) {
            return;
        }
        epoch++;
        List<DeviceCall> all = List.copyOf(calls);
        SortedSet<Integer> cuts = new TreeSet<>(marks);
        calls.clear();
        marks.clear();
        cutRuns(all, cuts);
        cuts.add(all.size());
        int from = 0;
        for (int cut : cuts) {
            while (from < cut) {
                int to = Math.min(cut, from + MOST);
                runNow(all.subList(from, to));
                from = to;
            }
        }
    }

    /** Runs of one kernel, such as an optimiser's over all parameters, in pieces of powers of two: so any length is made of a few. */
    private static void cutRuns(List<DeviceCall> all, SortedSet<Integer> cuts) {
        int from = 0;
        for (int at = 1; at <= all.size(); at++) {
            if (at == all.size() || !all.get(at).name().equals(all.get(from).name())) {
                if (at - from >= MOST_OF_ONE / 2) {
                    while (from < at) {
                        cuts.add(from);
                        from += Math.min(MOST_OF_ONE, Integer.highestOneBit(at - from));
                    }
                    cuts.add(at);
                }
                from = at;
            }
        }
    }
}
