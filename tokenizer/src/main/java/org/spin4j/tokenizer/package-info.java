/**
 * Text to token ids and back, the training of vocabularies, and chat templates.
 *
 * <p>
 * {@link org.spin4j.tokenizer.Tokenizer} reads Hugging Face's {@code tokenizer.json}, and the files of SentencePiece, tiktoken, GPT-2 and
 * llama2.c, and gives the ids that those libraries give; what it does not know it refuses by name. {@link org.spin4j.tokenizer.BpeTrainer} makes such a file, {@link org.spin4j.tokenizer.ChatTemplate}
 * turns a conversation into the text a model was trained on. Nothing here knows of tensors.
 */
package org.spin4j.tokenizer;
