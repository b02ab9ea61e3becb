package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AdviceTest {
    private static final long GIB = 1L << 30;

    /** What was found, to be changed in one point per test. */
    private static final class Found {
        private String version = "25.0.3";
        private String debug = "release";
        private List<String> options = List.of();
        private boolean module = true;
        private int level = 4;
        private boolean fma = true;
        private int cpuBits = 512;
        private int cpus = 8;
        private int cores = 8;
        private long memory = 32 * GIB;
        private long heap = 8 * GIB;
        private double load;
        private String fontError = "";
        private int bits = 512;
        private int threads = 8;
        private double one = 100;
        private double all = 700;

        List<String> advice() {
            return Advice.of(
                    new Findings(Runtime.Version.parse(version), "VM", debug, options, module, level, fma, "Linux",
                            "CPU",
                            cpuBits, cpus, cores, memory, heap, load, 3, fontError),
                    new Speed("backend", bits, threads, one, all, 50));
        }

        String only() {
            assertThat(advice()).hasSize(1);
            return advice().getFirst();
        }
    }

    private final Found found = new Found();

    @Test
    void nothingToSayWhereAllIsWell() {
        assertThat(found.advice()).isEmpty();
        found.cpuBits = 0; // unknown
        found.memory = 0;
        found.load = -1;
        found.cpus = 0;
        assertThat(found.advice()).isEmpty();
    }

    @Test
    void java() {
        found.version = "25.0.1";
        assertThat(found.only()).startsWith("Java 25.0.1 is older than 25.0.3; ").contains("install Temurin 25");
        found.version = "25.0.3";
        found.debug = "fastdebug";
        assertThat(found.only()).startsWith("this Java is a fastdebug build; ");
    }

    @Test
    void aWeakCompiler() {
        found.level = 0;
        assertThat(found.only()).startsWith("the JVM only interprets; ").endsWith("remove -Xint");
        found.level = 1;
        found.options = List.of("-XX:TieredStopAtLevel=1");
        assertThat(found.only()).startsWith("the JVM compiles up to level 1, without C2; ")
                .contains("remove -XX:TieredStopAtLevel (SPIN4J_JAVA_OPTS, ");
    }

    @Test
    void backends() {
        found.bits = 0;
        assertThat(found.only()).startsWith("the scalar backend computes; ");
        found.module = false;
        assertThat(found.only()).startsWith("the module jdk.incubator.vector is missing; ")
                .contains("--add-modules jdk.incubator.vector");
    }

    @Test
    void narrowVectors() {
        found.bits = 256;
        assertThat(found.only()).startsWith("vectors have 256 bits where the processor has 512; ")
                .contains("early Skylake").endsWith("keep it if doctor then measures more GFLOP/s")
                .contains("SPIN4J_JAVA_OPTS=-XX:UseAVX=3");
        found.options = List.of("-Xmx1g", "-XX:UseAVX=2", "-XX:MaxVectorSize=32");
        assertThat(found.only()).endsWith("remove -XX:UseAVX=2 -XX:MaxVectorSize=32");
        found.options = List.of();
        found.cpuBits = 256;
        found.bits = 128;
        assertThat(found.only()).contains("look into JDK_JAVA_OPTIONS");
        found.bits = 256;
        found.fma = false;
        assertThat(found.only()).startsWith("the JVM uses no fused multiply-add; ");
    }

    @Test
    void processors() {
        found.threads = 9;
        assertThat(found.only()).startsWith("9 threads share 8 cores; ").endsWith("use --threads 8");
        found.threads = 8;
        found.cpus = 64;
        assertThat(found.only()).startsWith("this process may use 8 of the machine's 64 processors; ");
        found.cpus = 8;
        found.load = 5;
        assertThat(found.only()).startsWith("other programs keep the machine busy (load average 5.0 on 8 cores); ");
        found.load = 3;
        found.all = 110;
        assertThat(found.only()).startsWith("8 threads compute 1.1 times as fast as one; ");
        found.all = 700;
        found.one = 9;
        assertThat(found.only()).startsWith("one thread computes 9.0 GFLOP/s only; ");
        found.one = 100;
        found.cores = 2;
        found.cpus = 2;
        found.threads = 2;
        found.load = 0.5;
        assertThat(found.only()).startsWith("only 2 cores; ");
    }

    @Test
    void memory() {
        found.heap = 24 * GIB;
        assertThat(found.only()).startsWith("the Java heap may take 24.0 of 32.0 GiB; ").contains("lower -Xmx");
        found.memory = 3 * GIB;
        found.heap = GIB;
        assertThat(found.only()).startsWith("the machine has 3.0 GiB of memory; ");
    }

    @Test
    void fonts() {
        found.fontError = "java.lang.Error: no fonts";
        assertThat(found.only()).startsWith("no fonts; ");
    }
}
