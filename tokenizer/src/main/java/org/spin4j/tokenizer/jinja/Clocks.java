package org.spin4j.tokenizer.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** {@code strftime_now}: the time as Python's {@code strftime} writes it, in English. */
final class Clocks {
    private Clocks() {}

    static String format(LocalDateTime time, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            boolean bare = format.charAt(++i) == '-' && i + 1 < format.length();
            char directive = bare ? format.charAt(++i) : format.charAt(i);
            String field = field(time, directive);
            boolean isNumber = "dmHIMSjy".indexOf(directive) >= 0;
            if (bare && !isNumber) {
                throw JinjaException.unsupported("the time format %-" + directive);
            }
            out.append(bare ? field.replaceFirst("^0+(?=.)", "") : field);
        }
        return out.toString();
    }

    private static String field(LocalDateTime time, char directive) {
        String pattern = switch (directive) {
            case 'a' -> "EEE";
            case 'A' -> "EEEE";
            case 'b', 'h' -> "MMM";
            case 'B' -> "MMMM";
            case 'd' -> "dd";
            case 'D' -> "MM/dd/yy";
            case 'F' -> "uuuu-MM-dd";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'j' -> "DDD";
            case 'm' -> "MM";
            case 'M' -> "mm";
            case 'p' -> "a";
            case 'S' -> "ss";
            case 'T' -> "HH:mm:ss";
            case 'y' -> "yy";
            case 'Y' -> "uuuu";
            case '%' -> "'%'";
            default -> throw JinjaException.unsupported("the time format %" + directive);
        };
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }
}
