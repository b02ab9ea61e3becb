package org.spin4j.training.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Progress;

/** Models from a hub on this machine. */
final class HubTest {
    private static final String NAME = "hf:" + FakeHub.REPOSITORY;
    private static final String SECRET = "hf_secret";

    @TempDir
    private Path temp;
    private FakeHub server;

    @BeforeEach
    void start() {
        server = new FakeHub();
        put("config.json", "{\"model_type\":\"llama\"}");
        put("tokenizer.json", "{}");
        put("tokenizer_config.json", "{\"a\":1}");
        put("pytorch_model.bin", "not wanted");
        put("README.md", "nor this");
        byte[] weights = new byte[300_000];
        new Random(1).nextBytes(weights);
        server.files.put("model.safetensors", weights);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void whatIsFetchedLiesInTheHubsOwnLayout() throws IOException {
        Path folder = hub().folder(NAME, Hub.Part.MODEL);
        Path repository = temp.resolve("cache/models--someone--small-model");
        String commit = server.revisions.get("main");
        assertThat(folder).isEqualTo(repository.resolve("snapshots/" + commit));
        assertThat(names(folder)).containsExactly("config.json", "model.safetensors", "tokenizer.json",
                "tokenizer_config.json");
        assertThat(repository.resolve("refs/main")).hasContent(commit);
        byte[] weights = server.files.get("model.safetensors");
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(weights).isSymbolicLink();
        assertThat(Files.readSymbolicLink(folder.resolve("model.safetensors")))
                .isEqualTo(Path.of("../../blobs/" + FakeHub.hash("SHA-256", weights)));
        assertThat(names(repository.resolve("blobs"))).hasSize(4).noneMatch(name -> name.endsWith(".part"));
        assertThat(server.seen).noneMatch(s -> s.path().endsWith(".bin") || s.path().endsWith(".md"));

        server.seen.clear();
        assertThat(hub().folder(NAME, Hub.Part.MODEL)).isEqualTo(folder);
        assertThat(server.seen).hasSize(1);
    }

    @Test
    void aTokenizerComesWithoutWeights() throws IOException {
        Path folder = hub().folder(NAME, Hub.Part.TOKENIZER);
        assertThat(names(folder)).containsExactly("tokenizer.json", "tokenizer_config.json");
        assertThat(names(hub().folder(NAME, Hub.Part.MODEL))).contains("model.safetensors");
    }

    @Test
    void shardsAreThoseOfTheIndex() throws IOException {
        server.files.put("model-00001-of-00002.safetensors", server.files.remove("model.safetensors"));
        put("model-00002-of-00002.safetensors", "second");
        put("consolidated.safetensors", "the same again");
        put("model.safetensors.index.json",
                "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\",\"b\":\"model-00002-of-00002.safetensors\"}}");
        Path folder = hub().folder(NAME, Hub.Part.MODEL);
        assertThat(names(folder)).containsExactly("config.json", "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json",
                "tokenizer_config.json");
        Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
        assertThatThrownBy(() -> hub(offline()).folder(NAME, Hub.Part.MODEL)).hasMessageContaining("not whole");
        assertThat(names(hub().folder(NAME, Hub.Part.MODEL))).hasSize(6);
    }

    // ---- what goes wrong on the way ----------------------------------------------------------------------------------

    @Test
    void aCutConnectionIsGoneOnWith() {
        server.cutAfter = 100_000;
        Path folder = hub().folder(NAME, Hub.Part.MODEL);
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(server.files.get("model.safetensors"));
        assertThat(server.seen("GET", "/model.safetensors").stream().filter(FakeHub.Seen::store)
                .map(FakeHub.Seen::range)).hasSize(2).containsNull().contains("bytes=100000-");
    }

    @Test
    void whatAnEarlierProcessLeftIsGoneOnWith() throws IOException {
        byte[] weights = server.files.get("model.safetensors");
        Path part = temp.resolve("cache/models--someone--small-model/blobs/" + FakeHub.hash("SHA-256", weights)
                + ".part");
        Files.createDirectories(part.getParent());
        Files.write(part, java.util.Arrays.copyOf(weights, 299_999));
        Path folder = hub().folder(NAME, Hub.Part.MODEL);
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.seen("GET", "/model.safetensors")).last().extracting(FakeHub.Seen::range)
                .isEqualTo("bytes=299999-");
        assertThat(part).doesNotExist();
    }

    @Test
    void aWrongChecksumIsRefused() throws IOException {
        server.corrupt = true;
        refused("expected checksum " + FakeHub.hash("SHA-256", server.files.get("model.safetensors")));
        assertThat(names(temp.resolve("cache/models--someone--small-model/blobs"))).hasSize(3)
                .noneMatch(name -> name.endsWith(".part"));
        server.corrupt = false;
        assertThat(hub().folder(NAME, Hub.Part.MODEL)).isDirectory();
    }

    @Test
    void moreBytesThanAnnouncedAreRefused() {
        server.surplus = 1000;
        refused("expected 300,000 bytes of model.safetensors");
    }

    @Test
    void theTokenGoesToTheHubAlone() {
        hub().folder(NAME, Hub.Part.MODEL);
        assertThat(server.seen.stream().filter(s -> !s.store())).isNotEmpty()
                .allMatch(s -> s.authorization().equals("Bearer " + SECRET));
        assertThat(server.seen.stream().filter(FakeHub.Seen::store)).isNotEmpty()
                .allMatch(s -> s.authorization() == null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "ftp://host/file", "http:///nowhere", "::"})
    void redirectsLeadToWebAddressesOnly(String elsewhere) {
        server.elsewhere = elsewhere;
        refused("redirect");
    }

    @Test
    void redirectsInACircleEnd() {
        server.elsewhere = server.endpoint() + "/" + FakeHub.REPOSITORY + "/resolve/x/model.safetensors";
        refused("redirects");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            401 |                  | that may be read, found none (HTTP 401)
            401 | GatedRepo        | found a gated repository; accept its terms at http
            403 | GatedRepo        | (HTTP 403, GatedRepo); accept its terms at http
            404 | RepoNotFound     | expected a repository hf:someone/small-model, found none
            404 | RevisionNotFound | expected a revision 'main'
            400 |                  | found HTTP 400
            503 |                  | found 'HTTP 503'
            """)
    void refusalsAreSaidClearly(int status, String code, String told) {
        server.refusal = status;
        server.refusalCode = code == null ? "" : code;
        refused(told);
    }

    @Test
    void noFileLeavesTheFolder() throws IOException {
        server.alsoListed.addAll(List.of("../../../evil/config.json", "/etc/passwd.safetensors", "sub/tokenizer.json",
                "..\\\\up.safetensors", "..", ""));
        assertThat(names(hub().folder(NAME, Hub.Part.MODEL))).hasSize(4);
        server.files.remove("model.safetensors");
        server.revisions.put("main", "b".repeat(40));
        put("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../../up.safetensors\"}}");
        refused("expected the plain name");
        try (Stream<Path> all = Files.walk(temp)) {
            assertThat(all.map(p -> p.getFileName().toString())).doesNotContain("evil", "up.safetensors", "sub");
        }
    }

    @Test
    void whatIsNoModelIsRefused() {
        server.files.remove("model.safetensors");
        refused("take a repository with safetensors");
        server.files.remove("config.json");
        refused("expected a config.json");
    }

    // ---- revisions, the cache ----------------------------------------------------------------------------------------

    @Test
    void revisionsAreCommits() throws IOException {
        server.revisions.put("refs/pr/1", "b".repeat(40));
        Path main = hub().folder(NAME, Hub.Part.MODEL);
        Path other = hub().folder(NAME + "@refs/pr/1", Hub.Part.MODEL);
        assertThat(other.getFileName()).hasToString("b".repeat(40));
        assertThat(main.resolveSibling(other.getFileName()).resolve("../../refs/refs/pr/1"))
                .hasContent("b".repeat(40));
        assertThat(server.seen("GET", "/model.safetensors").stream().filter(FakeHub.Seen::store)).hasSize(1);
        server.seen.clear();
        assertThat(hub().folder(NAME + "@" + "b".repeat(40), Hub.Part.MODEL)).isEqualTo(other);
        assertThat(server.seen).isEmpty();
        assertThatThrownBy(() -> hub().folder(NAME + "@v9", Hub.Part.MODEL)).isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected a revision 'v9'");
    }

    @Test
    void theCacheServesWithoutTheHub() throws IOException {
        assertThatThrownBy(() -> hub(offline()).folder(NAME, Hub.Part.MODEL)).isInstanceOf(BadInputException.class)
                .hasMessageContaining("HF_HUB_OFFLINE is set");
        Path folder = hub().folder(NAME, Hub.Part.MODEL);
        server.seen.clear();
        assertThat(hub(offline()).folder(NAME, Hub.Part.MODEL)).isEqualTo(folder);
        assertThat(server.seen).isEmpty();
        server.refusal = 502;
        assertThat(hub().folder(NAME, Hub.Part.MODEL)).isEqualTo(folder);
        server.close();
        assertThat(hub().folder(NAME, Hub.Part.MODEL)).isEqualTo(folder);
        assertThatThrownBy(() -> hub().folder("hf:someone/other", Hub.Part.MODEL))
                .isInstanceOf(BadInputException.class).hasMessageContaining("check the network");
    }

    @Test
    void manyAtOnceFetchEachFileOnce() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Path>> folders = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                folders.add(threads.submit(() -> hub().folder(NAME, Hub.Part.MODEL)));
            }
            for (Future<Path> folder : folders) {
                assertThat(folder.get().resolve("model.safetensors"))
                        .hasBinaryContent(server.files.get("model.safetensors"));
            }
        }
        assertThat(server.seen("GET", "/model.safetensors").stream().filter(FakeHub.Seen::store)).hasSize(1);
    }

    // ---- names and settings ------------------------------------------------------------------------------------------

    @Test
    void namesAreNotPaths() {
        assertThat(HubName.of("models/base")).isEmpty();
        assertThat(HubName.of("hf:gpt2")).contains(new HubName("gpt2", "main"));
        assertThat(HubName.of("hf:a/B-1.5_x@v1.0")).contains(new HubName("a/B-1.5_x", "v1.0"));
        for (String wrong : List.of("hf:", "hf:a/b/c", "hf:../b", "hf:a/..", "hf:a/b@", "hf:a/b@../x", "hf:a/b@x/../y",
                "hf:a--b/c", "hf:a b/c", "hf:a/.b", "hf:a/b@/x", "hf:a/b@x//y", "hf:a/b?x", "hf:a/b@x..y")) {
            assertThatThrownBy(() -> HubName.of(wrong)).as(wrong).isInstanceOf(BadInputException.class)
                    .hasMessageContaining("expected hf:OWNER/NAME");
        }
    }

    @Test
    void settingsComeFromTheEnvironment() throws IOException {
        Path home = Files.createDirectories(temp.resolve("home"));
        HubSettings usual = HubSettings.of(Map.of(), home);
        assertThat(usual.endpoint()).hasToString("https://huggingface.co");
        assertThat(usual.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(usual.token()).isEmpty();
        assertThat(usual.offline()).isFalse();
        Path hf = Files.createDirectories(temp.resolve("hf"));
        Files.writeString(hf.resolve("token"), SECRET + "\n");
        HubSettings set = HubSettings.of(Map.of("HF_HOME", hf.toString(), "HF_ENDPOINT", "http://mirror:8080/hf/",
                "HF_HUB_OFFLINE", "true"), home);
        assertThat(set).isEqualTo(new HubSettings(java.net.URI.create("http://mirror:8080/hf"), hf.resolve("hub"),
                Optional.of(SECRET), true));
        assertThat(set.toString()).doesNotContain(SECRET);
        assertThat(HubSettings.of(Map.of("HF_HUB_CACHE", "~/c", "HF_TOKEN", "other", "HF_HOME", hf.toString()), home))
                .extracting(HubSettings::cache, HubSettings::token)
                .containsExactly(home.resolve("c"), Optional.of("other"));
        assertThatThrownBy(() -> HubSettings.of(Map.of("HF_TOKEN", "a\nb"), home))
                .isInstanceOf(BadInputException.class).message().doesNotContain("a\nb");
        assertThatThrownBy(() -> HubSettings.of(Map.of("HF_ENDPOINT", "ftp://x"), home))
                .isInstanceOf(BadInputException.class).hasMessageContaining("HF_ENDPOINT");
    }

    private void put(String name, String text) {
        server.files.put(name, text.getBytes(StandardCharsets.UTF_8));
    }

    private HubSettings online() {
        return new HubSettings(server.endpoint(), temp.resolve("cache"), Optional.of(SECRET), false);
    }

    private HubSettings offline() {
        return new HubSettings(server.endpoint(), temp.resolve("cache"), Optional.empty(), true);
    }

    private Hub hub() {
        return hub(online());
    }

    private static Hub hub(HubSettings settings) {
        return new Hub(settings, new Progress(true), 1);
    }

    private void refused(String told) {
        assertThatThrownBy(() -> hub().folder(NAME, Hub.Part.MODEL)).isInstanceOf(BadInputException.class)
                .hasMessageContaining(told).message().doesNotContain("\n").doesNotContain(SECRET);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }
}
