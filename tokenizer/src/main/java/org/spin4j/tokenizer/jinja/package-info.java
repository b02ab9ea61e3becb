/**
 * An interpreter of Jinja templates as chat models carry them: the language and the values of Python's jinja2 with the settings of
 * Hugging Face's {@code apply_chat_template} (blocks trimmed, nothing escaped, a sandbox, loop controls, {@code generation} blocks).
 *
 * <p>
 * {@link org.spin4j.tokenizer.jinja.Template} is the way in. What is not covered, or what Python answers with an error, is a
 * {@link org.spin4j.tokenizer.jinja.JinjaException} that names it. Templates come from outside: size, nesting and work are bounded,
 * and a template sees its variables and nothing else.
 */
package org.spin4j.tokenizer.jinja;
