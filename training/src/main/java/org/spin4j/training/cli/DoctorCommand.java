package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at the machine, measures it, and advises. */
@Command(name = "doctor", description = "Says what this machine has, measures how fast it is (3 to 4 seconds), and advises.", footer = {
        "", "Example:", "  spin4j doctor --json"})
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print the findings as JSON.")
    private boolean json;

    @Mixin
    private Machine machine;

    @Override
    public Integer call() {
        Spin4j.quietLog();
        // First of all: later the load would be our own.
        Findings findings = Findings.look();
        int threads = machine.threads();
        Speed speed = Speed.measure(machine.kernels(1), machine.kernels(threads), threads);
        List<String> advice = Advice.of(findings, speed);
        List<String> devices = Devices.look();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(json(findings, speed, devices, advice));
        } else {
            print(out, findings, speed, devices, advice);
        }
        return 0;
    }

    private static void print(PrintWriter out, Findings f, Speed s, List<String> devices, List<String> advice) {
        line(out, "java", "%s, %s", f.version(), f.vm());
        line(out, "os", "%s", f.os());
        line(out, "cpu", "%s%s", f.cpu(), f.cpuBits() == 0 ? "" : ", vectors of " + f.cpuBits() + " bits");
        line(out, "cores", "%d%s, load average %.1f", f.cores(), f.cpus() > f.cores() ? " of " + f.cpus() : "",
                Math.max(0, f.load()));
        line(out, "memory", "%.1f GiB, Java heap at most %.1f GiB; weights lie outside the heap", f.memory() / 0x1p30,
                f.heap() / 0x1p30);
        line(out, "backend", "%s", s.backend());
        line(out, "GFLOP/s", s.threads() == 1 ? "%.1f (1 thread)" : "%.1f (1 thread), %.1f (%d threads)",
                s.gigaFlopsOne(), s.gigaFlopsAll(), s.threads());
        line(out, "GB/s", "%.1f", s.gigaBytes());
        devices.forEach(device -> line(out, "device", "%s", device));
        line(out, "fonts", "%s", f.fontError().isEmpty() ? f.fonts() + " families" : "none (" + f.fontError() + ")");
        out.println(advice.isEmpty() ? "all is well" : "advice:\n  " + String.join("\n  ", advice));
    }

    private static void line(PrintWriter out, String name, String format, Object... values) {
        out.println(String.format(Locale.ROOT, "%-10s ", name) + String.format(Locale.ROOT, format, values));
    }

    /** The same data; the names do not change. */
    private static ObjectNode json(Findings f, Speed s, List<String> devices, List<String> advice) {
        ObjectNode node = new ObjectMapper().createObjectNode();
        node.put("java", f.version().toString()).put("vm", f.vm()).put("build", f.debug());
        f.options().forEach(node.putArray("jvm_options")::add);
        node.put("os", f.os()).put("cpu", f.cpu()).put("cpu_vector_bits", f.cpuBits()).put("cpus", f.cpus())
                .put("cores", f.cores()).put("load_average", f.load()).put("memory_bytes", f.memory())
                .put("heap_bytes", f.heap()).put("backend", s.backend()).put("vector_bits", s.bits())
                .put("threads", s.threads()).put("gflops_one_thread", s.gigaFlopsOne())
                .put("gflops_all_threads", s.gigaFlopsAll()).put("gbytes_per_second", s.gigaBytes())
                .put("font_families", f.fonts()).put("font_error", f.fontError());
        devices.forEach(node.putArray("devices")::add);
        advice.forEach(node.putArray("advice")::add);
        return node;
    }
}
