package org.spin4j.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's operators on {@link Value}s. */
final class Operators {
    private static final int MAX_BITS = 1 << 16;

    private final Work work;

    Operators(Work work) {
        this.work = work;
    }

    /** Whether a condition takes a value for true. */
    static boolean truth(Value value) {
        return switch (value) {
            case Value.None n -> false;
            case Value.Bool b -> b == Value.Bool.TRUE;
            case Value.Int i -> i.value().signum() != 0;
            case Value.Real f -> f.value() != 0;
            case Value.Str s -> !s.text().isEmpty();
            case Value.Markup m -> !m.text().isEmpty();
            case Value.Lst l -> !l.items().isEmpty();
            case Value.Tuple t -> !t.items().isEmpty();
            case Value.View v -> !v.items().isEmpty();
            case Value.Dict d -> d.size() > 0;
            case Value.Range r -> r.size() > 0;
            case Value.Undefined u -> false;
            case Value.Once o -> true;
            case Value.Func f -> true;
            case Value.Namespace n -> true;
            case Value.LoopInfo l -> true;
        };
    }

    /** What stands for a key in a Java map: equal for keys that are equal in Python. */
    static Object hashKey(Value value) {
        return switch (value) {
            case Value.Str s -> s.text();
            case Value.Markup m -> m.text();
            case Value.Bool b -> BigInteger.valueOf(b.number());
            case Value.Int i -> i.value();
            case Value.Real f -> isWhole(f.value()) ? new BigDecimal(f.value()).toBigInteger() : (Object) f.value();
            case Value.Tuple t -> t.items().stream().map(Operators::hashKey).toList();
            case Value.Undefined u -> Value.Undefined.class;
            case Value.Lst l -> throw new JinjaException("a list cannot be a key");
            case Value.Dict d -> throw new JinjaException("a dict cannot be a key");
            case Value.View v -> throw new JinjaException(v.name() + " cannot be a key");
            default -> value;
        };
    }

    private static boolean isWhole(double value) {
        return !Double.isInfinite(value) && value == Math.rint(value);
    }

    /** {@code a == b}. */
    static boolean equal(Value a, Value b) {
        if (isNumber(a) && isNumber(b)) {
            return isReal(a) && isReal(b) && compareNumbers(a, b) == 0;
        }
        return switch (a) {
            case Value.Str s -> text(b) != null && s.text().equals(text(b));
            case Value.Markup s -> text(b) != null && s.text().equals(text(b));
            case Value.Lst l -> b instanceof Value.Lst other && equal(l.items(), other.items());
            case Value.Tuple t -> b instanceof Value.Tuple other && equal(t.items(), other.items());
            case Value.Dict d -> b instanceof Value.Dict other && d.size() == other.size()
                    && d.items().stream().allMatch(item -> {
                        Value found = other.get(item.key());
                        return found != null && equal(item.value(), found);
                    });
            case Value.Range r -> b instanceof Value.Range other && (r.size() == 0 && other.size() == 0
                    || r.size() == other.size() && r.start() == other.start()
                            && (r.size() == 1 || r.step() == other.step()));
            case Value.Undefined u -> b instanceof Value.Undefined;
            case Value.View v -> {
                if (b instanceof Value.View) {
                    throw JinjaException.unsupported("comparing " + v.name());
                }
                yield false;
            }
            default -> a == b;
        };
    }

    private static boolean equal(List<Value> a, List<Value> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (a.get(i) != b.get(i) && !equal(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static String text(Value value) {
        return switch (value) {
            case Value.Str s -> s.text();
            case Value.Markup m -> m.text();
            default -> null;
        };
    }

    /** Less than 0, 0 or more: the order of two values that have one. */
    int compare(String operator, Value a, Value b) {
        work.step();
        defined(a);
        defined(b);
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof Value.Str x && b instanceof Value.Str y) {
            return Strings.compare(x.text(), y.text());
        }
        if (a instanceof Value.Lst x && b instanceof Value.Lst y) {
            return compare(operator, x.items(), y.items());
        }
        if (a instanceof Value.Tuple x && b instanceof Value.Tuple y) {
            return compare(operator, x.items(), y.items());
        }
        throw new JinjaException("'" + operator + "' does not work between " + Types.name(a) + " and "
                + Types.name(b));
    }

    private int compare(String operator, List<Value> a, List<Value> b) {
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            if (!equal(a.get(i), b.get(i))) {
                return compare(operator, a.get(i), b.get(i));
            }
        }
        return Integer.compare(a.size(), b.size());
    }

    /** One link of a chain of comparisons. */
    boolean holds(String operator, Value a, Value b) {
        return switch (operator) {
            case "==" -> equal(a, b);
            case "!=" -> !equal(a, b);
            case "in" -> contains(b, a);
            case "not in" -> !contains(b, a);
            default -> isReal(a) && isReal(b) && ordered(operator, compare(operator, a, b));
        };
    }

    private static boolean ordered(String operator, int order) {
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    /** {@code item in container}. */
    boolean contains(Value container, Value item) {
        return switch (container) {
            case Value.Str s -> {
                if (!(item instanceof Value.Str part)) {
                    throw new JinjaException("'in' a str needs a str, found " + Types.name(item));
                }
                work.step(s.text().length());
                yield s.text().contains(part.text());
            }
            case Value.Dict d -> d.get(item) != null;
            default -> {
                if (container instanceof Value.View view && view.name().equals("dict_keys")) {
                    hashKey(item);
                }
                for (var items = Types.iterate(container); items.hasNext();) {
                    work.step();
                    Value candidate = items.next();
                    if (candidate == item || equal(candidate, item)) {
                        yield true;
                    }
                }
                yield false;
            }
        };
    }

    /** {@code a + b} and its like. */
    Value arithmetic(String operator, Value a, Value b) {
        work.step();
        defined(a);
        if (operator.equals("%") && a instanceof Value.Str format) {
            return new Value.Str(Formats.percent(format.text(), b, work));
        }
        defined(b);
        if (isNumber(a) && isNumber(b)) {
            return a instanceof Value.Real || b instanceof Value.Real
                    ? floats(operator, doubleOf(a), doubleOf(b))
                    : whole(operator, wholeOf(a), wholeOf(b));
        }
        if (operator.equals("+")) {
            if (a instanceof Value.Str x && b instanceof Value.Str y) {
                work.text(x.text().length() + y.text().length());
                return new Value.Str(x.text() + y.text());
            }
            if (a instanceof Value.Lst x && b instanceof Value.Lst y) {
                return new Value.Lst(joined(x.items(), y.items()));
            }
            if (a instanceof Value.Tuple x && b instanceof Value.Tuple y) {
                return new Value.Tuple(joined(x.items(), y.items()));
            }
        }
        if (operator.equals("*") && (isWhole(a) || isWhole(b))) {
            Value many = isWhole(a) ? b : a;
            long times = Math.max(0, bounded(isWhole(a) ? wholeOf(a) : wholeOf(b)));
            switch (many) {
                case Value.Str s -> {
                    work.text(times * s.text().length());
                    return new Value.Str(s.text().repeat((int) times));
                }
                case Value.Lst l -> {
                    return new Value.Lst(repeated(l.items(), times));
                }
                case Value.Tuple t -> {
                    return new Value.Tuple(repeated(t.items(), times));
                }
                default -> {
                }
            }
        }
        throw new JinjaException("'" + operator + "' does not work between " + Types.name(a) + " and "
                + Types.name(b));
    }

    private List<Value> joined(List<Value> a, List<Value> b) {
        work.items((long) a.size() + b.size());
        List<Value> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }

    private List<Value> repeated(List<Value> items, long times) {
        work.items(items.size() * times);
        List<Value> all = new ArrayList<>();
        for (long i = 0; i < times && !items.isEmpty(); i++) {
            all.addAll(items);
        }
        return all;
    }

    private static long bounded(BigInteger times) {
        if (times.bitLength() > 63) {
            throw new JinjaException("a repetition of more than 2^63 times");
        }
        return Math.min(times.longValue(), Integer.MAX_VALUE);
    }

    private static Value floats(String operator, double a, double b) {
        if (b == 0 && (operator.startsWith("/") || operator.equals("%"))) {
            throw new JinjaException("division by zero");
        }
        return new Value.Real(switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "%" -> remainder(a, b);
            case "//" -> floor(a, b);
            default -> power(a, b);
        });
    }

    /** The sign is that of the divisor. */
    private static double remainder(double a, double b) {
        double rest = a % b;
        if (rest == 0) {
            return Math.copySign(0, b);
        }
        return rest < 0 != b < 0 ? rest + b : rest;
    }

    private static double floor(double a, double b) {
        double quotient = (a - remainder(a, b)) / b;
        return quotient == 0 ? Math.copySign(0, a / b) : Math.rint(quotient);
    }

    private static double power(double a, double b) {
        if (a < 0 && !isWhole(b)) {
            throw JinjaException.unsupported("a power that is a complex number");
        }
        if (a == 0 && b < 0) {
            throw new JinjaException("0 cannot be raised to a negative power");
        }
        double power = Math.pow(a, b);
        if (Double.isInfinite(power) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
            throw new JinjaException("a power that is too large");
        }
        return power;
    }

    private static Value whole(String operator, BigInteger a, BigInteger b) {
        boolean divides = operator.startsWith("/") || operator.equals("%");
        if (divides && b.signum() == 0) {
            throw new JinjaException("division by zero");
        }
        return switch (operator) {
            case "+" -> new Value.Int(a.add(b));
            case "-" -> new Value.Int(a.subtract(b));
            case "*" -> new Value.Int(limited(a.bitLength() + (long) b.bitLength(), () -> a.multiply(b)));
            case "/" -> new Value.Real(quotient(a, b));
            case "//" -> new Value.Int(floorDivide(a, b));
            case "%" -> new Value.Int(a.subtract(floorDivide(a, b).multiply(b)));
            default -> b.signum() < 0
                    ? new Value.Real(power(a.doubleValue(), b.doubleValue()))
                    : new Value.Int(limited(b.bitLength() > 31 && a.bitLength() > 1
                            ? Long.MAX_VALUE
                            : a.bitLength() * (long) b.intValue(), () -> a.pow(b.intValue())));
        };
    }

    private static BigInteger limited(long bits, java.util.function.Supplier<BigInteger> result) {
        if (bits > MAX_BITS) {
            throw new JinjaException("a number of more than " + MAX_BITS + " bits");
        }
        return result.get();
    }

    private static double quotient(BigInteger a, BigInteger b) {
        if (a.bitLength() <= 53 && b.bitLength() <= 53) {
            return a.doubleValue() / b.doubleValue();
        }
        double quotient = new BigDecimal(a).divide(new BigDecimal(b), new java.math.MathContext(40)).doubleValue();
        if (Double.isInfinite(quotient)) {
            throw new JinjaException("a quotient that is too large");
        }
        return quotient;
    }

    private static BigInteger floorDivide(BigInteger a, BigInteger b) {
        BigInteger[] parts = a.divideAndRemainder(b);
        return parts[1].signum() != 0 && parts[1].signum() != b.signum()
                ? parts[0].subtract(BigInteger.ONE)
                : parts[0];
    }

    /** {@code -a} or {@code +a}. */
    Value sign(boolean minus, Value value) {
        defined(value);
        return switch (value) {
            case Value.Real f -> new Value.Real(minus ? -f.value() : f.value());
            case Value.Int i -> minus ? new Value.Int(i.value().negate()) : i;
            case Value.Bool b -> Value.Int.of(minus ? -b.number() : b.number());
            default -> throw new JinjaException("a sign does not work before " + Types.name(value));
        };
    }

    static boolean isNumber(Value value) {
        return isWhole(value) || value instanceof Value.Real;
    }

    /** Whether it is an int or a bool. */
    static boolean isWhole(Value value) {
        return value instanceof Value.Int || value instanceof Value.Bool;
    }

    private static boolean isReal(Value value) {
        return !(value instanceof Value.Real f) || !Double.isNaN(f.value());
    }

    static BigInteger wholeOf(Value value) {
        return switch (value) {
            case Value.Int i -> i.value();
            case Value.Bool b -> BigInteger.valueOf(b.number());
            default -> {
                defined(value);
                throw new JinjaException("found " + Types.name(value) + " where a whole number should be");
            }
        };
    }

    static double doubleOf(Value value) {
        if (value instanceof Value.Real f) {
            return f.value();
        }
        double whole = wholeOf(value).doubleValue();
        if (Double.isInfinite(whole)) {
            throw new JinjaException("a whole number too large for a float");
        }
        return whole;
    }

    private static int compareNumbers(Value a, Value b) {
        if (isWhole(a) && isWhole(b)) {
            return wholeOf(a).compareTo(wholeOf(b));
        }
        double x = a instanceof Value.Real f ? f.value() : wholeOf(a).doubleValue();
        double y = b instanceof Value.Real f ? f.value() : wholeOf(b).doubleValue();
        if (Double.isInfinite(x) || Double.isInfinite(y)) {
            return Double.compare(x, y);
        }
        return exact(a).compareTo(exact(b));
    }

    private static BigDecimal exact(Value value) {
        return value instanceof Value.Real f ? new BigDecimal(f.value()) : new BigDecimal(wholeOf(value));
    }

    /** Refuses to work with what is not there. */
    static void defined(Value value) {
        if (value instanceof Value.Undefined undefined) {
            throw new JinjaException(undefined.why());
        }
    }
}
