"""Writes gpt2-gradients.json and gpt2-adamw.json: a small GPT-2 differentiated and trained by PyTorch in float64.

The model is written out with torch.nn.functional alone, so that it shares no code with what it checks.
Run: python3 tests/golden/gpt2.py
"""

import math
import sys

sys.dont_write_bytecode = True

import torch
import torch.nn.functional as F

from draws import LCG, Draws, base64_float32, number, numbers, write

torch.set_num_threads(1)

V, C, HEADS, LAYERS, P = 31, 16, 2, 2, 12
BATCH, T = 3, 8
EPSILON = 1e-5
IGNORED = -100

STEPS, WARMUP, PEAK = 50, 10, 1e-2
MINIMUM = 0.1 * PEAK
BETAS, ADAM_EPSILON, WEIGHT_DECAY, CLIP = (0.9, 0.95), 1e-8, 0.1, 1.0
BATCH_SEED = 1000

ABOUT = {
    "draws": f"{LCG}; s starts at the seed; u = s/2^32 - 0.5; tensors are filled in row-major order.",
    "weights": "The parameter at index i of `parameters` uses seed 1 + i. A tensor of rank 2 is 0.4*u, a LayerNorm "
    "weight is 1 + 0.4*u, a bias (LayerNorm's too) is 0.4*u; computed in float64, then rounded to float32.",
    "batch": f"Batch k uses seed {BATCH_SEED} + k: {BATCH} rows of {T + 1} ids, each (s >>> 8) mod {V}, row-major. "
    f"The inputs are a row's first {T} ids, the labels its last {T}. Then row 0's last three labels and row 1's "
    f"first label become {IGNORED}; row 2 keeps all. 20 labels count.",
    "loss": "The sum of the counted labels' cross entropies divided by their number.",
    "model": "GPT-2 as in Hugging Face's GPT2LMHeadModel: pre-norm, Conv1D weights stored (in, out), c_attn's columns "
    "are query, key, value, GELU with tanh, causal softmax attention scaled by 1/sqrt(head size), head tied to wte, "
    "no dropout. All in float64, with weights that float32 holds exactly.",
    "keyBias": "Elements 16 to 31 of each attn.c_attn.bias (the key's third) have a gradient of exactly zero in exact "
    "arithmetic, for softmax ignores a shift. In float32 it is rounding noise, which Adam amplifies; it changes no loss.",
}
CONFIG = {
    "vocabularySize": V, "width": C, "heads": HEADS, "layers": LAYERS, "positions": P,
    "layerNormEpsilon": EPSILON, "batch": BATCH, "length": T, "ignoredLabel": IGNORED,
}  # fmt: skip


def parameter_shapes() -> dict:
    shapes = {"transformer.wte.weight": (V, C), "transformer.wpe.weight": (P, C)}
    for layer in range(LAYERS):
        at = f"transformer.h.{layer}"
        shapes[f"{at}.ln_1.weight"] = (C,)
        shapes[f"{at}.ln_1.bias"] = (C,)
        shapes[f"{at}.attn.c_attn.weight"] = (C, 3 * C)
        shapes[f"{at}.attn.c_attn.bias"] = (3 * C,)
        shapes[f"{at}.attn.c_proj.weight"] = (C, C)
        shapes[f"{at}.attn.c_proj.bias"] = (C,)
        shapes[f"{at}.ln_2.weight"] = (C,)
        shapes[f"{at}.ln_2.bias"] = (C,)
        shapes[f"{at}.mlp.c_fc.weight"] = (C, 4 * C)
        shapes[f"{at}.mlp.c_fc.bias"] = (4 * C,)
        shapes[f"{at}.mlp.c_proj.weight"] = (4 * C, C)
        shapes[f"{at}.mlp.c_proj.bias"] = (C,)
    shapes["transformer.ln_f.weight"] = (C,)
    shapes["transformer.ln_f.bias"] = (C,)
    return shapes


def initial_parameters(dtype=torch.float64) -> dict:
    parameters = {}
    for index, (name, shape) in enumerate(parameter_shapes().items()):
        is_norm_weight = len(shape) == 1 and name.endswith(".weight")
        values = Draws(1 + index).numbers(shape, 0.4, 1.0 if is_norm_weight else 0.0)
        parameters[name] = values.to(dtype).requires_grad_()
    return parameters


def batch(k: int):
    rows = Draws(BATCH_SEED + k).ids((BATCH, T + 1), V)
    inputs, labels = rows[:, :T].clone(), rows[:, 1:].clone()
    labels[0, -3:] = IGNORED
    labels[1, :1] = IGNORED
    return inputs, labels


def logits(w: dict, inputs: torch.Tensor) -> torch.Tensor:
    rows, length = inputs.shape
    hidden_causal = torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)

    def norm(x, name):
        return F.layer_norm(x, (C,), w[f"{name}.weight"], w[f"{name}.bias"], EPSILON)

    def linear(x, name):
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"]

    def heads(x):
        return x.reshape(rows, length, HEADS, C // HEADS).transpose(1, 2)

    x = F.embedding(inputs, w["transformer.wte.weight"]) + w["transformer.wpe.weight"][:length]
    for layer in range(LAYERS):
        at = f"transformer.h.{layer}"
        q, k, v = (heads(part) for part in linear(norm(x, f"{at}.ln_1"), f"{at}.attn.c_attn").split(C, dim=-1))
        scores = q @ k.transpose(-1, -2) / math.sqrt(C // HEADS)
        weights = F.softmax(scores.masked_fill(hidden_causal, -math.inf), dim=-1)
        mixed = (weights @ v).transpose(1, 2).reshape(rows, length, C)
        x = x + linear(mixed, f"{at}.attn.c_proj")
        inner = F.gelu(linear(norm(x, f"{at}.ln_2"), f"{at}.mlp.c_fc"), approximate="tanh")
        x = x + linear(inner, f"{at}.mlp.c_proj")
    return norm(x, "transformer.ln_f") @ w["transformer.wte.weight"].T


def losses(w: dict, inputs: torch.Tensor, labels: torch.Tensor):
    """The loss, and each label's own (zero where it is ignored)."""
    each = F.cross_entropy(logits(w, inputs).reshape(-1, V), labels.reshape(-1), ignore_index=IGNORED, reduction="none")
    return each.sum() / (labels != IGNORED).sum(), each.reshape(labels.shape)


def learning_rate(step: int) -> float:
    if step <= WARMUP:
        return PEAK * step / WARMUP
    return MINIMUM + 0.5 * (PEAK - MINIMUM) * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def gradients() -> dict:
    w = initial_parameters()
    inputs, labels = batch(0)
    loss, each = losses(w, inputs, labels)
    loss.backward()
    token_losses = [
        [None if label == IGNORED else number(value) for value, label in zip(*row)]
        for row in zip(each.tolist(), labels.tolist())
    ]
    return {
        "about": ABOUT
        | {
            "file": "Batch 0 through the initial weights. `tokenLosses` is null where the label is ignored. "
            "`first` is a parameter's first three values, to check the draws. `gradient` is base64 of little-endian "
            "float32, row-major, rounded from float64."
        },
        "config": CONFIG,
        "inputs": inputs.tolist(),
        "labels": labels.tolist(),
        "count": int((labels != IGNORED).sum()),
        "loss": number(loss),
        "tokenLosses": token_losses,
        "gradientNorm": number(torch.sqrt(sum((p.grad**2).sum() for p in w.values()))),
        "parameters": [
            {
                "name": name,
                "shape": list(p.shape),
                "first": p.detach().flatten()[:3].tolist(),
                "gradientL2": number(p.grad.norm()),
                "gradient": base64_float32(p.grad),
            }
            for name, p in w.items()
        ],
    }


def train(dtype=torch.float64):
    w = initial_parameters(dtype)
    matrices = [p for p in w.values() if p.dim() >= 2]
    others = [p for p in w.values() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
        lr=PEAK,
        betas=BETAS,
        eps=ADAM_EPSILON,
    )
    steps = []
    for step in range(1, STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.zero_grad()
        loss, _ = losses(w, *batch(step))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(w.values()), CLIP)
        optimizer.step()
        steps.append({
            "step": step,
            "learningRate": number(learning_rate(step)),
            "loss": number(loss),
            "gradientNorm": number(norm),
        })  # fmt: skip
    with torch.no_grad():
        final_loss, _ = losses(w, *batch(0))
    return steps, final_loss, w


def described(name: str, p: torch.Tensor) -> dict:
    values = p.detach().flatten()
    entry = {"name": name, "shape": list(p.shape)}
    if name.endswith("attn.c_attn.bias"):
        entry["leftOut"] = [C, 2 * C]
        values = torch.cat([values[:C], values[2 * C :]])
    return entry | {"l2": number(values.norm()), "sum": number(values.sum()), "first": numbers(values[:3])}


def adamw() -> dict:
    steps, final_loss, w = train()
    return {
        "about": ABOUT
        | {
            "file": "torch.optim.AdamW from the initial weights; step k trains on batch k. `loss` and `gradientNorm` "
            "(over all parameters together, before clipping) are those of the weights before the step. "
            "`finalLoss` is batch 0's loss after the last step.",
            "schedule": "step <= warmup: peak*step/warmup; after: min + 0.5*(peak-min)*"
            "(1+cos(pi*(step-warmup)/(maxSteps-warmup))); steps count from 1.",
            "update": "clip: every gradient times min(1, maxNorm/(norm+1e-6)). Then p = p*(1 - lr*decay); "
            "m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g^2; p = p - lr*(m/(1-b1^step))/(sqrt(v/(1-b2^step)) + eps). "
            "Decay applies to parameters of rank 2 (embeddings included), and is 0 for biases and norms.",
            "finalParameters": "After the last step: `l2` norm, `sum` and the `first` three values of each parameter, "
            "without the elements from leftOut[0] up to but not including leftOut[1] where that is given (the key's bias).",
        },
        "config": CONFIG,
        "optimizer": {
            "maxSteps": STEPS, "warmup": WARMUP, "peak": PEAK, "min": MINIMUM, "betas": list(BETAS),
            "epsilon": ADAM_EPSILON, "weightDecay": WEIGHT_DECAY, "maxNorm": CLIP,
        },
        "steps": steps,
        "finalLoss": number(final_loss),
        "finalParameters": [described(name, p) for name, p in w.items()],
    }  # fmt: skip


if __name__ == "__main__":
    write("gpt2-gradients.json", gradients())
    write("gpt2-adamw.json", adamw())
