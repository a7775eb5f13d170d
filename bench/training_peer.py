"""A GPT of a given shape trained by PyTorch, for bench/training.bench.ts: as a PyTorch user would write it.

    python bench/training_peer.py '{"layers": 4, "width": 128, …}' eager|compile fp32|bf16 [threads] [cpu|cuda]

Prints a line when it is ready; then for each number N that it reads, runs N steps and prints their milliseconds.
"""

import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in self.qkv(x).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, length: int, layers: int, width: int, heads: int):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.apply(self.initialize)
        self.head.weight = self.wte.weight

    @staticmethod
    def initialize(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids, labels):
        x = self.wte(ids) + self.wpe.weight[: ids.size(1)]
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), labels.view(-1))


shape, mode, precision = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
if len(sys.argv) > 4 and sys.argv[4] != "":
    torch.set_num_threads(int(sys.argv[4]))
device = sys.argv[5] if len(sys.argv) > 5 else "cpu"
torch.manual_seed(1)
model = GPT(shape["vocabulary"], shape["length"], shape["layers"], shape["width"], shape["heads"]).to(device)
decay = [p for p in model.parameters() if p.dim() >= 2]
rest = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW(
    [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-3, fused=True
)
loss_of = torch.compile(model) if mode == "compile" else model
count = shape["batch"] * shape["length"]
ids = (torch.arange(count) * 7919 % shape["vocabulary"]).view(shape["batch"], shape["length"])
labels = (ids + 1) % shape["vocabulary"]
ids, labels = ids.to(device), labels.to(device)


def step() -> float:
    with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16"):
        loss = loss_of(ids, labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


step()
about = {"version": torch.__version__, "threads": torch.get_num_threads()}
if device == "cuda":
    about["device"] = torch.cuda.get_device_name()
print(json.dumps(about), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        started = time.perf_counter()
        loss = step()
        times.append((time.perf_counter() - started) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"times": times, "loss": loss, "peak": peak}), flush=True)
