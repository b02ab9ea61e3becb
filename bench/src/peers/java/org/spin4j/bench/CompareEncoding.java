package org.spin4j.bench;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.spin4j.tokenizer.Tokenizer;

/**
 * Text to GPT-2's ids, one text after the other, in spin4j, Hugging Face's tokenizers and jtokkit, in turns in one process. All three must
 * find the same ids, or nothing is measured.
 */
final class CompareEncoding {
    private static final int THREADS = 2;
    private static final int ROUNDS = 2;
    private static final int AGREEING = 3;
    private static final double TOLERANCE = 0.05;
    /** Long beside the fraction of a millisecond that it takes to wake the threads of a pool, and to find that both are done. */
    private static final double PASS_SECONDS = 0.3;
    private static final Duration PATIENCE = Duration.ofMillis(1500);
    private static final double MEGA = 1e6;

    /** Texts to encode. */
    record Work(String name, List<String> texts) {
        double bytes() {
            return texts.stream().mapToLong(text -> text.getBytes(StandardCharsets.UTF_8).length).sum();
        }
    }

    private CompareEncoding() {}

    /** Prints the table in Markdown. */
    static void run(PrintStream out, Path gpt2, List<Work> works) {
        Encoding jtokkit = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
        Tokenizer tokenizer = Tokenizer.load(gpt2);
        out.println();
        out.println("Encoding with GPT-2's vocabulary, text by text. Peers: " + HuggingFace.describe()
                + ", called through its native interface for the ids alone, and jtokkit 1.1.0 (`r50k_base`,"
                + " `encodeOrdinary`), 1 thread each; there and back in turns after warming up. With 2 threads each"
                + " encodes all texts.");
        out.println();
        out.println("| texts | number | MB | spin4j MB/s | Hugging Face MB/s | jtokkit MB/s | spin4j, 2 threads, MB/s"
                + " | **spin4j ÷ Hugging Face** | **spin4j ÷ jtokkit** | **2 threads ÷ 1** |");
        out.println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        try (HuggingFace huggingFace = new HuggingFace(gpt2);
                ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
            for (Work work : works) {
                check(work, tokenizer, huggingFace, jtokkit);
                measure(out, work, tokenizer, huggingFace, jtokkit, pool);
            }
        }
    }

    private static void check(Work work, Tokenizer tokenizer, HuggingFace huggingFace, Encoding jtokkit) {
        for (String text : work.texts) {
            int[] ours = tokenizer.encode(text);
            int[] first = Arrays.stream(huggingFace.encode(text, true)).mapToInt(Math::toIntExact).toArray();
            int[] second = jtokkit.encodeOrdinary(text).toArray();
            if (!Arrays.equals(ours, first) || !Arrays.equals(ours, second)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected the same ids of all three in %s, found %d, %d (Hugging Face) and %d (jtokkit) that differ",
                        work.name, ours.length, first.length, second.length));
            }
        }
    }

    private static void measure(PrintStream out, Work work, Tokenizer tokenizer, HuggingFace huggingFace,
            Encoding jtokkit, ExecutorService pool) {
        System.err.println("tokenizer: encoding " + work.name);
        long[] sink = new long[1];
        int times = (int) Math.ceil(PASS_SECONDS / seconds(() -> sink[0] += encode(tokenizer, work, 1)));
        Stopwatch ours = new Stopwatch(() -> sink[0] += encode(tokenizer, work, times), 1);
        Stopwatch both = new Stopwatch(() -> sink[0] += together(pool, tokenizer, work, times), 1);
        Stopwatch second = Turns.watch(() -> {
            for (String text : work.texts) {
                IntArrayList ids = jtokkit.encodeOrdinary(text);
                sink[0] += ids.size();
            }
        });
        // Native code that has just encoded all of it: there is nothing left to warm up.
        Stopwatch first = new Stopwatch(() -> {
            for (String text : work.texts) {
                sink[0] += huggingFace.encode(text, true).length;
            }
        }, 1);
        for (Stopwatch program : List.of(ours, both, second)) {
            Turns.settle();
            program.warmUp(AGREEING, TOLERANCE, PATIENCE);
        }
        List<Stopwatch> order = new ArrayList<>(List.of(ours, second, both, first));
        for (int round = 0; round < 2 * ROUNDS; round++) {
            for (Stopwatch program : order) {
                Turns.settle();
                program.pass();
            }
            Collections.reverse(order);
        }
        double bytes = work.bytes();
        double one = ours.median() / times;
        double two = both.median() / times;
        out.printf(Locale.ROOT, "| %s | %d | %.2f | %.1f | %.1f | %.1f | %.1f | **%.1f** | **%.2f** | **%.2f** |%n",
                work.name, work.texts.size(), bytes / MEGA, bytes / MEGA / one, bytes / MEGA / first.median(),
                bytes / MEGA / second.median(), THREADS * bytes / MEGA / two,
                first.median() / one, second.median() / one,
                THREADS * one / two);
        if (sink[0] == 0) {
            throw new IllegalStateException("expected ids, found none in " + work.name);
        }
    }

    private static double seconds(Runnable work) {
        Stopwatch once = new Stopwatch(work, 2);
        once.pass();
        return once.best();
    }

    private static long encode(Tokenizer tokenizer, Work work, int times) {
        long ids = 0;
        for (int i = 0; i < times; i++) {
            for (String text : work.texts) {
                ids += tokenizer.encode(text).length;
            }
        }
        return ids;
    }

    private static long together(ExecutorService pool, Tokenizer tokenizer, Work work, int times) {
        try {
            long ids = 0;
            Callable<Long> one = () -> encode(tokenizer, work, times);
            for (Future<Long> done : pool.invokeAll(Collections.nCopies(THREADS, one))) {
                ids += done.get();
            }
            return ids;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while encoding " + work.name, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a thread failed to encode " + work.name, e);
        }
    }
}
