package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardLogTest {
    @TempDir
    Path folder;

    @Test
    void recordsAreFramedAndHoldTheScalars() throws IOException {
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("loss", 0.5);
        scalars.put("rewards/margins", -2.0);
        try (TensorBoardLog log = TensorBoardLog.open(folder, -1)) {
            log.log(300, scalars);
        }
        List<byte[]> records = records();
        assertThat(records).hasSize(3);
        assertThat(new String(records.get(0), StandardCharsets.ISO_8859_1)).endsWith("brain.Event:2");
        // Field 2 (step) 300, field 5 (summary) of 37 bytes; in it twice field 1 (value) with field 1 (tag), field 2 (float).
        assertThat(HexFormat.of().formatHex(records.get(2)).substring(18)).isEqualTo("10ac02" + "2a" + "25" //
                + "0a0b" + "0a04" + hex("loss") + "150000003f" //
                + "0a16" + "0a0f" + hex("rewards/margins") + "15000000c0");
    }

    @Test
    void aRunThatGoesOnStartsASecondFile() throws IOException {
        TensorBoardLog.open(folder, -1).close();
        TensorBoardLog.open(folder, 41).close();
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(2)
                    .allSatisfy(f -> assertThat(f.getFileName().toString()).startsWith("events.out.tfevents."));
        }
    }

    /** CRC-32C of "123456789" is 0xE3069283 (the usual check value); masked as TFRecord does. */
    @Test
    void checksum() {
        int crc = 0xE3069283;
        int masked = ((crc >>> 15) | (crc << 17)) + 0xA282EAD8;
        assertThat(TensorBoardLog.maskedChecksum("123456789".getBytes(StandardCharsets.US_ASCII), 0, 9))
                .isEqualTo(masked);
    }

    private List<byte[]> records() throws IOException {
        List<Path> files;
        try (var list = Files.list(folder)) {
            files = list.toList();
        }
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(files.getFirst())).order(ByteOrder.LITTLE_ENDIAN);
        List<byte[]> records = new ArrayList<>();
        while (in.hasRemaining()) {
            int start = in.position();
            byte[] data = new byte[(int) in.getLong()];
            assertThat(in.getInt()).isEqualTo(TensorBoardLog.maskedChecksum(in.array(), start, 8));
            in.get(data);
            assertThat(in.getInt()).isEqualTo(TensorBoardLog.maskedChecksum(data, 0, data.length));
            records.add(data);
        }
        return records;
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }
}
