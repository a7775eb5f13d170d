"""Trains Hugging Face's byte-level BPE on a file: `tokenizers_peer.py FILE VOCAB_SIZE`."""

import json
import re
import sys
import time

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

file, vocab_size = sys.argv[1:]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(
    vocab_size=int(vocab_size),
    min_frequency=2,
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
started = time.perf_counter()
tokenizer.train([file], trainer)
seconds = time.perf_counter() - started
# Not what getrusage says: that begins with the parent's.
megabytes = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps({"seconds": seconds, "megabytes": megabytes, "ids": tokenizer.get_vocab_size()}))
