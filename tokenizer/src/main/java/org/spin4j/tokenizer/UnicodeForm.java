package org.spin4j.tokenizer;

import java.text.Normalizer.Form;
import java.util.HashMap;
import java.util.Map;

/** Unicode's normalisation forms, with the tables of {@link CharacterTables} and the places of characters kept. */
final class UnicodeForm {
    private UnicodeForm() {}

    static NormalizedText apply(NormalizedText source, Form form) {
        String text = source.text();
        if (java.text.Normalizer.isNormalized(text, form)) {
            return source;
        }
        NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(source);
        int from = 0;
        for (int i = 0; i < text.length();) {
            int c = text.codePointAt(i);
            int next = i + Character.charCount(c);
            if (CharacterTables.normalizationKnowsNot(c)) {
                stretch(source, from, i, form, rewrite);
                rewrite.keep(next);
                from = next;
            }
            i = next;
        }
        stretch(source, from, text.length(), form, rewrite);
        return rewrite.result();
    }

    /** Text without a character that the older tables do not know; there both tables agree. */
    private static void stretch(NormalizedText source, int start, int end, Form form, NormalizedText.Rewrite rewrite) {
        String text = source.text().substring(start, end);
        String normal = java.text.Normalizer.normalize(text, form);
        if (!source.tracked()) {
            rewrite.skip(end);
            rewrite.insert(normal);
            return;
        }
        Form decomposing = form == Form.NFC || form == Form.NFD ? Form.NFD : Form.NFKD;
        Decomposed parts = new Decomposed(text, decomposing);
        for (int i = 0; i < normal.length();) {
            int c = normal.codePointAt(i);
            i += Character.charCount(c);
            // Of its parts, those that are not the first of a source character count for nothing; the others are taken off the source.
            int change = 1;
            String whole = Character.toString(c);
            String of = form == decomposing ? whole : java.text.Normalizer.normalize(whole, Form.NFD);
            for (int k = 0; k < of.length(); k += Character.charCount(of.codePointAt(k))) {
                change -= parts.take(of.codePointAt(k)) ? 1 : 0;
            }
            if (change > 0) {
                rewrite.insert(c);
            } else {
                rewrite.replace(c);
                rewrite.skipCharacters(-change);
            }
        }
    }

    /** The parts of each character of a text in order, before marks are sorted. */
    private static final class Decomposed {
        private final Ints parts = new Ints();
        /** Whether the part is the first of its character. */
        private final Ints leads = new Ints();
        private boolean[] taken;
        private int next;
        /** Where the search for a part goes on that was not the next one. */
        private final Map<Integer, Integer> resume = new HashMap<>();

        Decomposed(String text, Form form) {
            for (int i = 0; i < text.length();) {
                int c = text.codePointAt(i);
                i += Character.charCount(c);
                if (c < 0x80) {
                    parts.add(c);
                    leads.add(1);
                    continue;
                }
                String of = java.text.Normalizer.normalize(Character.toString(c), form);
                for (int k = 0; k < of.length(); k += Character.charCount(of.codePointAt(k))) {
                    parts.add(of.codePointAt(k));
                    leads.add(k == 0 ? 1 : 0);
                }
            }
            taken = new boolean[parts.size()];
        }

        /** Takes the first such part that is left, and says whether it is the first of its character. Equal marks never change places. */
        boolean take(int part) {
            while (next < taken.length && taken[next]) {
                next++;
            }
            int at = next;
            if (parts.get(at) != part) {
                at = Math.max(at, resume.getOrDefault(part, 0));
                while (taken[at] || parts.get(at) != part) {
                    at++;
                }
                resume.put(part, at + 1);
            }
            taken[at] = true;
            return leads.get(at) == 1;
        }
    }
}
