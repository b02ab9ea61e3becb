package org.spin4j.training.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What {@code doctor} has to say about its findings: each line says what, so what, and what to do. */
final class Advice {
    private static final Runtime.Version OLDEST = Runtime.Version.parse("25.0.3");
    private static final String OPTIONS = "SPIN4J_JAVA_OPTS";
    private static final int C2 = 4;

    private Advice() {}

    /** The advice, in order of weight; empty where all is well. */
    static List<String> of(Findings f, Speed s) {
        List<String> advice = new ArrayList<>();
        java(f, advice);
        backend(f, s, advice);
        processors(f, s, advice);
        memory(f, advice);
        if (advice.isEmpty() && s.gigaFlopsOne() < 10) {
            advice.add(say("one thread computes %.1f GFLOP/s only; a run takes many times as long as it could;"
                    + " look for a busy host or a processor that saves power", s.gigaFlopsOne()));
        }
        if (!f.fontError().isEmpty()) {
            advice.add("no fonts; reports show numbers instead of plots; install fontconfig and a font"
                    + " (Debian, Ubuntu: apt-get install fontconfig fonts-dejavu-core)");
        }
        return advice;
    }

    private static void java(Findings f, List<String> advice) {
        if (f.version().compareToIgnoreOptional(OLDEST) < 0) {
            advice.add(say("Java %s is older than %s; what is tested here may fail there; install Temurin 25"
                    + " (https://adoptium.net)", f.version(), OLDEST));
        }
        if (!f.debug().equals("release")) {
            advice.add(say("this Java is a %s build; it checks itself and runs many times slower; install a release"
                    + " build (https://adoptium.net)", f.debug()));
        }
        if (f.compilerLevel() == 0) {
            advice.add("the JVM only interprets; everything runs a hundred times slower; remove -Xint"
                    + where(f, "-Xint"));
        } else if (f.compilerLevel() < C2) {
            advice.add(say("the JVM compiles up to level %d, without C2; vectors are objects and products a hundred"
                    + " times slower; remove -XX:TieredStopAtLevel%s", f.compilerLevel(),
                    where(f, "-XX:TieredStopAtLevel")));
        }
    }

    private static void backend(Findings f, Speed s, List<String> advice) {
        if (!f.vectorModule()) {
            advice.add(
                    "the module jdk.incubator.vector is missing; plain loops compute, ten times slower or more; start"
                            + " with ./spin4j, or with --add-modules jdk.incubator.vector");
            return;
        }
        if (s.backend().startsWith("tornado")) {
            return;
        }
        if (s.bits() == 0) {
            advice.add(
                    "the scalar backend computes; products run ten times slower or more; leave --backend away, or use"
                            + " --backend vector! to hear why not");
            return;
        }
        if (!f.fma()) {
            advice.add("the JVM uses no fused multiply-add; each one is computed in software, a thousand times slower;"
                    + " remove -XX:-UseFMA, -XX:UseAVX=0 or 1; without such an option use --backend scalar");
        }
        if (f.cpuBits() <= s.bits()) {
            return;
        }
        String what = say("vectors have %d bits where the processor has %d; products run slower; ", s.bits(),
                f.cpuBits());
        List<String> causes = f.options().stream()
                .filter(o -> o.startsWith("-XX:UseAVX=") || o.startsWith("-XX:MaxVectorSize=")
                        || o.startsWith("-XX:UseSSE="))
                .toList();
        if (!causes.isEmpty()) {
            advice.add(what + "remove " + String.join(" ", causes));
        } else if (f.cpuBits() == 512) {
            // HotSpot keeps AVX-512 off on the first Skylake servers, whose clock it lowers.
            advice.add(what + "the JVM leaves AVX-512 off on this processor by itself (early Skylake): try " + OPTIONS
                    + "=-XX:UseAVX=3 and keep it if doctor then measures more GFLOP/s");
        } else {
            advice.add(what + "look into JDK_JAVA_OPTIONS, JAVA_TOOL_OPTIONS and " + OPTIONS
                    + " for an option that narrows them");
        }
    }

    private static void processors(Findings f, Speed s, List<String> advice) {
        if (s.threads() > f.cores()) {
            advice.add(say("%d threads share %d cores; they wait for each other in every product; use --threads %d",
                    s.threads(), f.cores(), f.cores()));
        }
        if (f.cores() < f.cpus()) {
            advice.add(say("this process may use %d of the machine's %d processors; training takes longer; raise the"
                    + " limit (docker --cpus, taskset, -XX:ActiveProcessorCount) if they are yours", f.cores(),
                    f.cpus()));
        }
        if (f.load() > Math.max(0.75, f.cores() / 2.0)) {
            advice.add(say("other programs keep the machine busy (load average %.1f on %d cores); figures here are too"
                    + " low and runs slow; end them, or measure again later", f.load(), f.cores()));
        } else if (s.threads() > 1 && s.threads() <= f.cores() && s.gigaFlopsAll() < 1.2 * s.gigaFlopsOne()) {
            advice.add(say(
                    "%d threads compute %.1f times as fast as one; the cores are shared with others (hyper-threads,"
                            + " a busy host); if that stays, use --threads 1",
                    s.threads(),
                    s.gigaFlopsAll() / s.gigaFlopsOne()));
        }
        if (f.cores() < 4) {
            advice.add(say("only %d cores; training is slow here; choose small models and short sequences", f.cores()));
        }
    }

    private static void memory(Findings f, List<String> advice) {
        if (f.memory() == 0) {
            return;
        }
        if (f.heap() > 0.6 * f.memory()) {
            advice.add(say("the Java heap may take %.1f of %.1f GiB; weights and activations lie outside the heap and"
                    + " find no room; lower -Xmx to a quarter of the memory", f.heap() / 0x1p30, f.memory() / 0x1p30));
        }
        if (f.memory() < 4L << 30) {
            advice.add(say("the machine has %.1f GiB of memory; large batches do not fit; lower"
                    + " per_device_train_batch_size and max_length", f.memory() / 0x1p30));
        }
    }

    /** Where an option comes from, as far as can be told. */
    private static String where(Findings f, String option) {
        return f.options().stream().anyMatch(o -> o.startsWith(option))
                ? " (" + OPTIONS + ", JDK_JAVA_OPTIONS and JAVA_TOOL_OPTIONS are where it may stand)"
                : "";
    }

    private static String say(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
