"""Times `generate` of transformers on the CPU: greedy, batch 1, a GPT-2 of random weights. Prints JSON.

Usage: python generation_peer.py LAYERS WIDTH HEADS VOCABULARY PROMPT_TOKENS NEW_TOKENS ROUNDS THREADS
"""

import json
import sys
import time

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

layers, width, heads, vocabulary, prompt_tokens, new_tokens, rounds, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)
config = GPT2Config(
    vocab_size=vocabulary, n_positions=1024, n_embd=width, n_layer=layers, n_head=heads, bos_token_id=0, eos_token_id=None
)
model = GPT2LMHeadModel(config).eval()
ids = torch.arange(prompt_tokens)[None] * 7919 % vocabulary
mask = torch.ones_like(ids)


def seconds(count: int) -> float:
    started = time.perf_counter()
    out = model.generate(ids, attention_mask=mask, max_new_tokens=count, do_sample=False, pad_token_id=0)
    assert out.shape[1] == prompt_tokens + count
    return time.perf_counter() - started


seconds(4)
prefill, total = [], []
for _ in range(rounds):
    prefill.append(seconds(1))
    total.append(seconds(new_tokens))
print(
    json.dumps(
        {
            "prefill": prefill,
            "total": total,
            "about": f"transformers {transformers.__version__}, PyTorch {torch.__version__}, {threads} threads",
        }
    )
)
