package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.spin4j.tokenizer.jinja.Statement.Target;

/** Carries out the statements of a template once. */
final class Interpreter {
    private enum Flow {
        ON, BREAK, CONTINUE
    }

    private final Work work;
    private final Globals globals;
    private final Evaluator evaluator;
    private final StringBuilder main = new StringBuilder();
    private final List<Template.Span> generated = new ArrayList<>();
    private boolean generatedInside;
    /** Where text goes: the result, or for a while the text of a macro or a block. */
    private StringBuilder out = main;

    Interpreter(Work work, Globals globals) {
        this.work = work;
        this.globals = globals;
        evaluator = new Evaluator(work, globals);
    }

    Template.Rendered render(StatementParser.Parsed template, Map<String, Value> variables) {
        Scope root = new Scope(null);
        globals.define(root);
        variables.forEach(root::set);
        run(template.statements(), root);
        return new Template.Rendered(main.toString(), template.marksGenerated(), generatedInside,
                List.copyOf(generated));
    }

    private Flow run(List<Statement> statements, Scope scope) {
        for (Statement statement : statements) {
            work.step();
            Flow flow = run(statement, scope);
            if (flow != Flow.ON) {
                return flow;
            }
        }
        return Flow.ON;
    }

    private Flow run(Statement statement, Scope scope) {
        return switch (statement) {
            case Statement.Text text -> write(text.text());
            case Statement.Print print -> at(print.line(), () -> write(evaluator.text(print.value(), scope)));
            case Statement.If conditional -> conditional(conditional, scope);
            case Statement.For loop -> {
                Value items = at(loop.line(), () -> evaluator.value(loop.items(), scope));
                at(loop.line(), () -> loop(loop, items, 0, scope));
                yield Flow.ON;
            }
            case Statement.Set set -> at(set.line(), () -> {
                assign(set.target(), evaluator.value(set.value(), scope), scope);
                return Flow.ON;
            });
            case Statement.SetBlock set -> {
                StringBuilder text = new StringBuilder();
                Flow flow = into(text, () -> run(set.body(), new Scope(scope)));
                if (flow == Flow.ON) {
                    at(set.line(), () -> {
                        assign(set.target(), evaluator.filtered(set.filter(), text.toString(), scope), scope);
                        return Flow.ON;
                    });
                }
                yield flow;
            }
            case Statement.Macro macro -> {
                scope.set(macro.name(), new Value.Func(macro.name(), true,
                        arguments -> call(macro.name(), macro.signature(), macro.body(), arguments, scope)));
                yield Flow.ON;
            }
            case Statement.CallBlock block -> at(block.line(), () -> write(callBlock(block, scope)));
            case Statement.FilterBlock block -> {
                StringBuilder text = new StringBuilder();
                Flow flow = into(text, () -> run(block.body(), new Scope(scope)));
                yield flow != Flow.ON
                        ? flow
                        : at(block.line(), () -> write(Types.text(
                                evaluator.filtered(block.filter(), text.toString(), scope), work)));
            }
            case Statement.With with -> at(with.line(), () -> {
                Scope inner = new Scope(scope);
                for (int i = 0; i < with.targets().size(); i++) {
                    assign(with.targets().get(i), evaluator.value(with.values().get(i), scope), inner);
                }
                return run(with.body(), inner);
            });
            case Statement.Generation generation -> generation(generation, scope);
            case Statement.Break b -> Flow.BREAK;
            case Statement.Continue c -> Flow.CONTINUE;
        };
    }

    private Flow write(String text) {
        if (out.length() + text.length() > Work.MAX_TEXT) {
            throw new JinjaException("a result of more than " + Work.MAX_TEXT + " characters");
        }
        out.append(text);
        return Flow.ON;
    }

    /** Does something that, if it fails, fails at a line. */
    private static <T> T at(int line, java.util.function.Supplier<T> work) {
        try {
            return work.get();
        } catch (JinjaException e) {
            throw e.at(line);
        }
    }

    /** Does something whose text goes elsewhere. */
    private <T> T into(StringBuilder elsewhere, java.util.function.Supplier<T> action) {
        StringBuilder before = out;
        out = elsewhere;
        try {
            return action.get();
        } finally {
            out = before;
        }
    }

    private Flow conditional(Statement.If conditional, Scope scope) {
        for (Statement.Branch branch : conditional.branches()) {
            if (at(branch.line(), () -> evaluator.truth(branch.test(), scope))) {
                return run(branch.body(), scope);
            }
        }
        return run(conditional.otherwise(), scope);
    }

    private Flow loop(Statement.For statement, Value items, int depth, Scope scope) {
        Iterator<Value> all = Types.iterate(items);
        int length = statement.test() == null && !(items instanceof Value.Once) ? Types.length(items) : -1;
        if (statement.test() != null) {
            all = ItemFilters.filtered(all, item -> {
                Scope testScope = new Scope(scope);
                assign(statement.target(), item, testScope);
                return evaluator.truth(statement.test(), testScope);
            }, work);
        }
        Loop loop = new Loop(all, length, depth, statement.recursive() ? arguments -> {
            Value inner = arguments.bind("loop", 1, "iterable")[0];
            StringBuilder text = new StringBuilder();
            work.enter();
            into(text, () -> loop(statement, inner, depth + 1, scope));
            work.leave();
            return new Value.Str(text.toString());
        } : null);
        Value item = loop.next();
        if (item == null) {
            return run(statement.otherwise(), new Scope(scope));
        }
        Value info = new Value.LoopInfo(loop);
        for (; item != null; item = loop.next()) {
            work.step();
            Scope inner = new Scope(scope);
            inner.set("loop", info);
            assign(statement.target(), item, inner);
            if (run(statement.body(), inner) == Flow.BREAK) {
                break;
            }
        }
        return Flow.ON;
    }

    private void assign(Target target, Value value, Scope scope) {
        switch (target) {
            case Target.Variable variable -> scope.set(variable.name(), value);
            case Target.Several several -> {
                List<Value> parts = unpacked(value, several.parts().size());
                for (int i = 0; i < parts.size(); i++) {
                    assign(several.parts().get(i), parts.get(i), scope);
                }
            }
            case Target.Attribute attribute -> {
                if (!(scope.get(attribute.namespace()) instanceof Value.Namespace namespace)) {
                    throw new JinjaException("cannot set the attribute " + attribute.attribute() + " of "
                            + attribute.namespace() + ", which is no namespace");
                }
                namespace.attributes().put(attribute.attribute(), value);
            }
        }
    }

    /** The items of something that must have so many. */
    static List<Value> unpacked(Value value, int wanted) {
        List<Value> parts = new ArrayList<>();
        for (Iterator<Value> items = Types.iterate(value); items.hasNext() && parts.size() <= wanted;) {
            parts.add(items.next());
        }
        if (parts.size() != wanted) {
            throw new JinjaException("found " + (parts.size() > wanted ? "more than " + wanted : parts.size())
                    + " values where " + wanted + " are unpacked");
        }
        return parts;
    }

    /** A call of a macro: its parameters are filled, its text is the value. */
    private Value call(String name, Statement.Signature signature, List<Statement> body, Arguments arguments,
            Scope definedIn) {
        Scope scope = new Scope(definedIn);
        List<String> parameters = signature.parameters();
        List<Value> positional = arguments.positional();
        Map<String, Value> named = new java.util.LinkedHashMap<>(arguments.named());
        int firstDefault = parameters.size() - signature.defaults().size();
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            Value value = i < positional.size() ? positional.get(i) : named.remove(parameter);
            if (value == null) {
                value = i < firstDefault
                        ? new Value.Undefined("parameter '" + parameter + "' was not provided")
                        : evaluator.value(signature.defaults().get(i - firstDefault), scope);
            }
            scope.set(parameter, value);
        }
        if (signature.special().contains("caller")) {
            Value caller = named.remove("caller");
            scope.set("caller", caller == null ? new Value.Undefined("No caller defined") : caller);
        }
        special(name, signature, scope, positional, named);
        StringBuilder text = new StringBuilder();
        work.enter();
        into(text, () -> run(body, scope));
        work.leave();
        work.text(text.length());
        return new Value.Str(text.toString());
    }

    private static void special(String name, Statement.Signature signature, Scope scope, List<Value> positional,
            Map<String, Value> named) {
        int taken = signature.parameters().size();
        if (signature.special().contains("kwargs")) {
            Value.Dict rest = new Value.Dict();
            named.forEach(rest::put);
            scope.set("kwargs", rest);
        } else if (!named.isEmpty()) {
            throw new JinjaException("macro '" + name + "' takes no keyword argument '"
                    + named.keySet().iterator().next() + "'");
        }
        if (signature.special().contains("varargs")) {
            scope.set("varargs", new Value.Tuple(
                    List.copyOf(positional.subList(Math.min(taken, positional.size()), positional.size()))));
        } else if (positional.size() > taken) {
            throw new JinjaException("macro '" + name + "' takes not more than " + taken + " argument(s)");
        }
    }

    private String callBlock(Statement.CallBlock block, Scope scope) {
        Value caller = new Value.Func("caller", true,
                arguments -> call("caller", block.signature(), block.body(), arguments, scope));
        Value callee = evaluator.value(block.call().callee(), scope);
        Arguments given = evaluator.arguments(block.call().arguments(), scope);
        Map<String, Value> named = new java.util.LinkedHashMap<>(given.named());
        named.put("caller", caller);
        return Types.text(globals.call(callee, new Arguments(given.positional(), named)), work);
    }

    private Flow generation(Statement.Generation generation, Scope scope) {
        int start = out.length();
        run(generation.body(), new Scope(scope));
        if (out != main) {
            generatedInside = true;
        } else if (out.length() > start) {
            generated.add(new Template.Span(start, out.length()));
        }
        return Flow.ON;
    }
}
