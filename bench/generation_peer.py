"""Times `generate` of transformers on the CPU: greedy, one text, a GPT-2 of random weights.

Usage: python generation_peer.py LAYERS WIDTH HEADS VOCABULARY POSITIONS PROMPT_TOKENS THREADS
Prints what it runs on; then, for each line of stdin with a number of tokens, the seconds that writing so many took, and the
seconds of processor time.
"""

import sys
import time

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

layers, width, heads, vocabulary, positions, prompt_tokens, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)
config = GPT2Config(
    vocab_size=vocabulary,
    n_positions=positions,
    n_embd=width,
    n_layer=layers,
    n_head=heads,
    bos_token_id=None,
    eos_token_id=None,
)
model = GPT2LMHeadModel(config).eval()
ids = torch.arange(prompt_tokens)[None] * 7919 % vocabulary
mask = torch.ones_like(ids)
print(f"transformers {transformers.__version__}, PyTorch {torch.__version__}, {threads} threads", flush=True)

for line in sys.stdin:
    count = int(line)
    started, used = time.perf_counter(), time.process_time()
    out = model.generate(ids, attention_mask=mask, max_new_tokens=count, do_sample=False, pad_token_id=0)
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    assert out.shape[1] == prompt_tokens + count
    print(seconds, processor, flush=True)
