"""Trains a byte-level BPE with Hugging Face's tokenizers, once for each line "train" on standard input, and answers with the seconds.

Arguments: a file of texts, one a line; the size of the vocabulary; the file to save the tokenizer in.
"""
import sys
import time

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

texts_file, size, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(texts_file, encoding="utf-8", newline="") as lines:
    texts = list(lines)
print(tokenizers.__version__, flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=2,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    seconds = time.perf_counter() - start
    tokenizer.save(out)
    print(seconds, flush=True)
