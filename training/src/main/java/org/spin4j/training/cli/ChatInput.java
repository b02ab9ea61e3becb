package org.spin4j.training.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Where a chat's lines come from. */
interface ChatInput extends AutoCloseable {
    /** The next line; empty at the end of the input, and where Ctrl-C is pressed at the prompt. */
    Optional<String> read();

    /** Lets Ctrl-C, pressed while an answer is written, do this and nothing else. */
    void onInterrupt(Runnable action);

    @Override
    void close();

    /** The terminal, with editing and history, if there is a person; plain lines of standard input otherwise. */
    @SuppressWarnings("SystemConsoleNull") // java.base's own console, the default again since JDK 25, may be null
    static ChatInput open() {
        if (System.console() == null || !System.console().isTerminal()) {
            return new Lines(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
        try {
            return new Person(TerminalBuilder.builder().system(true).nativeSignals(true).build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lines of a file or another program. */
    record Lines(BufferedReader in) implements ChatInput {
        @Override
        public Optional<String> read() {
            try {
                return Optional.ofNullable(in.readLine());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void onInterrupt(Runnable action) {}

        @Override
        public void close() {}
    }

    /** A person at a terminal. */
    final class Person implements ChatInput {
        private final Terminal terminal;
        private final LineReader reader;

        Person(Terminal terminal) {
            this.terminal = terminal;
            // What a person writes to a model is prose: nothing in it is to be expanded.
            reader = LineReaderBuilder.builder().terminal(terminal).appName("spin4j")
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true).build();
        }

        @Override
        public Optional<String> read() {
            try {
                return Optional.of(reader.readLine("> "));
            } catch (UserInterruptException | EndOfFileException e) {
                return Optional.empty();
            }
        }

        @Override
        public void onInterrupt(Runnable action) {
            terminal.handle(Terminal.Signal.INT, signal -> action.run());
        }

        @Override
        public void close() {
            try {
                terminal.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
