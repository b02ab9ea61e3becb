package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects calls until somebody must see a result, then runs them in order. They are cut at {@link #mark}s, which stand where a model's
 * layers repeat: so all layers are runs of few {@link Replay}s, and a sequence never seen before is mostly made of pieces seen before.
 */
final class Recorder {
    /** The most calls of a replay: TornadoVM takes 256 tasks, but compiles each of them anew. */
    private static final int MOST = 32;

    private final DeviceArena arena;
    private final Map<Replay.Key, Replay> replays = new HashMap<>();
    private final List<DeviceCall> calls = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private long epoch;

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

    /** Runs calls at once, before those that wait; they must have nothing to do with them. */
    void runNow(List<DeviceCall> some) {
        if (!some.isEmpty()) {
            Replay.Key key = Replay.Key.of(some);
            replays.computeIfAbsent(key, k -> new Replay(arena, "spin4j" + replays.size(), k, some)).run(some);
        }
    }

    /** Runs all calls that wait. */
    void run() {
        if (calls.isEmpty()) {
            return;
        }
        epoch++;
        List<DeviceCall> all = List.copyOf(calls);
        List<Integer> cuts = new ArrayList<>(marks);
        calls.clear();
        marks.clear();
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
}
