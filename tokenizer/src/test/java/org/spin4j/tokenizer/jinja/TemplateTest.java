package org.spin4j.tokenizer.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The file {@code cases.jsonl}: in its first line variables, in each other line a template with what Python's jinja2 3.1.6, set up by
 * transformers 5.18.0, makes of it, be it a text or an error. {@code lacking} names what is not covered here.
 */
class TemplateTest {
    private static final LocalDateTime NOON = LocalDateTime.of(2024, 7, 26, 12, 0);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void rendersAsPython() throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        try (InputStream in = TemplateTest.class.getResourceAsStream("cases.jsonl")) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                rows.add(JSON.readTree(line));
            }
        }
        Map<String, Value> variables = new HashMap<>(Map.of("messages", new Value.Lst(List.of()), "tools",
                Value.None.NONE, "documents", Value.None.NONE, "add_generation_prompt", Value.Bool.FALSE));
        rows.removeFirst().get("variables").properties()
                .forEach(entry -> variables.put(entry.getKey(), Template.value(entry.getValue())));
        int texts = 0;
        int errors = 0;
        int lacking = 0;
        for (JsonNode row : rows) {
            String template = row.get("template").textValue();
            if (row.has("output")) {
                assertThat(render(template, variables)).as(template).isEqualTo(row.get("output").textValue());
                texts++;
            } else if (row.has("lacking")) {
                assertThatThrownBy(() -> render(template, variables)).as(template).isInstanceOf(JinjaException.class)
                        .hasMessageContaining(row.get("lacking").textValue()).hasMessageContaining("not supported");
                lacking++;
            } else {
                assertThatThrownBy(() -> render(template, variables)).as(template).isInstanceOf(JinjaException.class);
                errors++;
            }
        }
        assertThat(texts).isGreaterThan(590);
        assertThat(errors).isGreaterThan(90);
        assertThat(lacking).isLessThan(31);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '@', value = {
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %} @ steps of work",
            "{{ range(10 ** 9) }} @ a range of more than 100000 numbers",
            "{{ 'x' * 10 ** 9 }} @ a text of more than", "{{ [0] * 10 ** 9 }} @ a list of more than",
            "{{ 10 ** (10 ** 9) }} @ a number of more than", "{{ 'x'.ljust(10 ** 9) }} @ a text of more than",
            "{{ '%9999s' % 'x' * 10000 }} @ a text of more than",
            "{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %} @ a text of more",
            "{% set n = namespace(x=[0]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %} @ a list of more",
            "{% set n = namespace(x=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }} @ texts of more than",
            "{% set n = namespace(x=[]) %}{% for i in range(999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }} @ more than 500 levels",
            "{% set n = namespace(x=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson }} @ more than",
            "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %} @ of more than",
            "{% for i in range(99999) %}{{ 'x'.join([['x' * 9999] * 99]|first) }}{% endfor %} @ of more than",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }} @ more than 100 levels",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %} @ more than 100 levels",
            "{{ 'aaaa'.replace('', 'x' * 9999999) }} @ of more than",
            "{{ ('a\\n' * 999999) | indent(1000) }} @ of more than"})
    void boundsWhatATemplateMayDo(String template, String named) {
        Assertions.assertTimeout(Duration.ofSeconds(20), () -> assertThatThrownBy(() -> render(template, Map.of()))
                .isInstanceOf(JinjaException.class).hasMessageContaining(named));
    }

    @Test
    void boundsHowDeeplyATemplateNests() {
        for (String opening : List.of("(", "[", "{'a':", "not ", "- ", "a[", "f(", "x if ", "{% if a %}",
                "{% for a in b %}", "{% macro m() %}")) {
            String template = (opening.startsWith("{%") ? "" : "{{ ") + opening.repeat(9999);
            assertThatThrownBy(() -> Template.parse(template)).as(opening).isInstanceOf(JinjaException.class);
        }
        assertThatThrownBy(() -> Template.parse("{{ a" + " + a".repeat(9999) + "}}")).isInstanceOf(JinjaException.class)
                .hasMessageContaining("operators in a row");
        assertThatThrownBy(() -> Template.parse("x".repeat(2 << 20))).isInstanceOf(JinjaException.class);
        assertThat(render("{{ 1" + " + 1".repeat(900) + " }}", Map.of())).isEqualTo("901");
    }

    @Test
    void namesTheLine() {
        assertThatThrownBy(() -> render("a\n\n{{ 1 +\n 'a' }}", Map.of())).isInstanceOfSatisfying(JinjaException.class,
                e -> assertThat(e.line()).isEqualTo(3));
        assertThatThrownBy(() -> render("a\r\n{% if x %}\r\n{{ 1 / 0 }}{% endif %}", Map.of("x", Value.Bool.TRUE)))
                .isInstanceOfSatisfying(JinjaException.class, e -> assertThat(e.line()).isEqualTo(3));
        assertThatThrownBy(() -> render("{# \n #}{% nosuch %}", Map.of())).isInstanceOfSatisfying(
                JinjaException.class, e -> assertThat(e.line()).isEqualTo(2));
    }

    @Test
    void tellsWhatIsGenerated() {
        Template.Rendered rendered = Template.parse("a{% for x in [1, 2] %}b{% generation %}{{ x }}c{% endgeneration %}"
                + "{% endfor %}{% generation %}{% endgeneration %}").render(Map.of(), NOON);
        assertThat(rendered).isEqualTo(new Template.Rendered("ab1cb2c", true, false,
                List.of(new Template.Span(2, 4), new Template.Span(5, 7))));
        assertThat(Template.parse("{% macro m() %}{% generation %}x{% endgeneration %}{% endmacro %}{{ m() }}")
                .render(Map.of(), NOON).generatedInside()).isTrue();
    }

    private static String render(String template, Map<String, Value> variables) {
        return Template.parse(template).render(variables, NOON).text();
    }
}
