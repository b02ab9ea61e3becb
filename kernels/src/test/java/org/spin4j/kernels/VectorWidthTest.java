package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/**
 * Whether the tests beside this one really ran at the width that the build asked for. The build runs them without a wish and
 * with 256 and 128 bits ({@code spin4j.test.bits}); a width that this machine cannot have shows up as a skipped test.
 */
final class VectorWidthTest {
    private static final int BITS = FloatVector.SPECIES_PREFERRED.vectorBitSize();

    @Test
    void runsAtTheWidthAskedFor() throws IOException {
        Integer wanted = Integer.getInteger("spin4j.test.bits");
        System.out.printf("vector tests run at %d bits (asked for: %s)%n", BITS,
                wanted == null ? "the widest" : wanted);
        assertThat(new VectorKernels(1).describe()).contains(BITS + " bit");
        if (wanted == null) {
            assumeTrue(BITS >= 512, "512 bits were not tested: the widest vector of this JVM here has " + BITS);
        } else if (wanted != BITS) {
            assertThat(offered()).as("bits of this processor; the JVM took %s where %s were asked for", BITS, wanted)
                    .isLessThan(wanted);
            assumeTrue(false, wanted + " bits were not tested: this processor has " + BITS);
        }
    }

    /** Bits of the widest vectors that the processor has, as far as the operating system says. */
    private static int offered() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(info)) {
            return BITS;
        }
        Set<String> words = new HashSet<>(
                Arrays.asList(Files.readString(info, StandardCharsets.ISO_8859_1).split("\\s+")));
        return words.contains("avx512vl") ? 512 : words.contains("avx2") ? 256 : BITS;
    }
}
