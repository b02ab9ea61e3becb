package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdsArgumentsTest {
    @Test
    void everythingCanBeNamed(@TempDir Path folder) throws Exception {
        Path file = Files.createFile(folder.resolve("tokenizer.json"));
        IdsArguments arguments = IdsArguments.parse(file.toString(), "--random", "12", "--data", folder.toString(),
                folder.toString());
        assertThat(arguments.tokenizers()).containsExactly(file, folder);
        assertThat(arguments.random()).isEqualTo(12);
        assertThat(arguments.data()).isEqualTo(Optional.of(folder));
    }

    @Test
    void mistakesAreNamed(@TempDir Path folder) {
        String here = folder.toString();
        assertThatThrownBy(() -> IdsArguments.parse(here + "/no")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a file or folder, found nothing at " + here + "/no; check the path");
        assertThatThrownBy(() -> IdsArguments.parse(here, "--data", here + "/no")).hasMessageContaining("nothing at");
        assertThatThrownBy(() -> IdsArguments.parse(here, "--data"))
                .hasMessage("expected a value after --data, found nothing");
        assertThatThrownBy(() -> IdsArguments.parse(here, "--random", "-1")).hasMessageContaining("found -1");
        assertThatThrownBy(() -> IdsArguments.parse(here, "--random", "many")).hasMessageContaining("found many");
    }
}
