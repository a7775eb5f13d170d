"""Writes operators.json: single operators, forward and backward, by PyTorch in float64.

Run: python3 tests/golden/operators.py
"""

import math
import sys

sys.dont_write_bytecode = True

import torch
import torch.nn.functional as F

from draws import LCG, Draws, numbers, write

torch.set_num_threads(1)

cases = []
next_seed = 2000


def drawn(shape, scale, offset=0.0) -> dict:
    global next_seed
    seed, next_seed = next_seed, next_seed + 1
    return {"value": Draws(seed).numbers(shape, scale, offset), "draw": {"seed": seed, "scale": scale, "offset": offset}}


def given(values, dtype=torch.float64) -> dict:
    return {"value": torch.tensor(values, dtype=dtype)}


def described(tensor: torch.Tensor, extra=None) -> dict:
    data = tensor.flatten().tolist() if tensor.dtype == torch.int64 else numbers(tensor)
    return {"shape": list(tensor.shape), "data": data} | (extra or {})


def stored(entry: dict) -> dict:
    """An input exactly as it is used: every digit, since float32 holds it."""
    value = entry["value"]
    return {"shape": list(value.shape), "data": value.flatten().tolist()} | (
        {"draw": entry["draw"]} if "draw" in entry else {}
    )


def case(name, operator, attributes, inputs, compute, output_gradient=None):
    """`compute` maps the inputs to {output name: tensor}; the first output is differentiated."""
    values = {
        key: entry["value"].clone().requires_grad_(entry["value"].is_floating_point()) for key, entry in inputs.items()
    }
    outputs = compute(**values)
    first = next(iter(outputs.values()))
    if output_gradient is None:
        output_gradient = drawn(tuple(first.shape), 2.0) if first.dim() else given(1.0)
    first.backward(output_gradient["value"])
    cases.append({
        "name": name,
        "operator": operator,
        "attributes": attributes,
        "inputs": {key: stored(entry) for key, entry in inputs.items()},
        "outputs": {key: described(tensor) for key, tensor in outputs.items()},
        "outputGradient": stored(output_gradient),
        "inputGradients": {key: described(v.grad) for key, v in values.items() if v.is_floating_point()},
    })  # fmt: skip


def layer_norm(x, weight, bias):
    return {"y": F.layer_norm(x, (x.shape[-1],), weight, bias, 1e-5)}


def cross_entropy(logits, labels):
    each = -F.log_softmax(logits, dim=-1).gather(1, labels.clamp(min=0)[:, None])[:, 0]
    counted = labels != -100
    loss = torch.where(counted, each, 0.0).sum() / counted.sum()
    assert torch.allclose(loss, F.cross_entropy(logits, labels, ignore_index=-100), rtol=1e-14, atol=0)
    return {"loss": loss, "rowLosses": torch.where(counted, each, 0.0)}


def attention(query, key, value):
    length, size = query.shape[-2:]
    scores = query @ key.transpose(-1, -2) / math.sqrt(size)
    later = torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)
    y = F.softmax(scores.masked_fill(later, -math.inf), dim=-1) @ value
    assert torch.allclose(y, F.scaled_dot_product_attention(query, key, value, is_causal=True), rtol=1e-13, atol=1e-15)
    return {"y": y}


def norm_weights(size):
    return {"weight": drawn((size,), 0.4, 1.0), "bias": drawn((size,), 0.4)}


EXTREMES = [[-30.0, -10.0, -5.0, -1.0, -0.001], [0.0, 0.001, 1.0, 5.0, 30.0]]
HUGE = [[200.0, -200.0, 0.0, 199.0, -200.0], [-200.0, -200.0, -200.0, -200.0, -200.0], [200.0, 200.0, 200.0, 200.0, 200.0]]

case("layer norm", "layer_norm", {"epsilon": 1e-5}, {"x": drawn((3, 5), 4.0)} | norm_weights(5), layer_norm)
case(
    "layer norm, variance below epsilon and a mean far from zero",
    "layer_norm",
    {"epsilon": 1e-5},
    {"x": drawn((3, 5), 0.0078125, 2.0)} | norm_weights(5),
    layer_norm,
)
for approximate, name in [("tanh", "gelu tanh"), ("none", "gelu erf")]:
    kind = {"approximate": approximate}
    case(name, "gelu", kind, {"x": drawn((3, 5), 8.0)}, lambda x: {"y": F.gelu(x, approximate=approximate)})
    case(
        f"{name}, far from zero", "gelu", kind, {"x": given(EXTREMES)}, lambda x: {"y": F.gelu(x, approximate=approximate)}
    )
case("softmax", "softmax", {"axis": -1}, {"x": drawn((3, 5), 4.0)}, lambda x: {"y": F.softmax(x, dim=-1)})
case("softmax, huge", "softmax", {"axis": -1}, {"x": given(HUGE)}, lambda x: {"y": F.softmax(x, dim=-1)})
case(
    "cross entropy",
    "cross_entropy",
    {"ignoreIndex": -100},
    {"logits": drawn((4, 5), 4.0), "labels": given([2, -100, 0, 4], torch.int64)},
    cross_entropy,
)
case(
    "cross entropy, huge: the likely label, an impossible one, equal logits, an ignored row",
    "cross_entropy",
    {"ignoreIndex": -100},
    {"logits": given([HUGE[0], HUGE[0], HUGE[2], HUGE[0]]), "labels": given([0, 1, 3, -100], torch.int64)},
    cross_entropy,
)
case(
    "embedding, duplicate and unused ids",
    "embedding",
    {},
    {"weight": drawn((5, 3), 2.0), "ids": given([[0, 3, 3], [1, 3, 0]], torch.int64)},
    lambda weight, ids: {"y": F.embedding(ids, weight)},
)
case(
    "causal attention",
    "causal_attention",
    {"scale": "1/sqrt(head size)"},
    {name: drawn((1, 2, 4, 3), 4.0) for name in ("query", "key", "value")},
    attention,
)

write(
    "operators.json",
    {
        "about": {
            "tensors": "A tensor is {shape, data}, row-major. Inputs and output gradients are float32 numbers given "
            "with every digit (labels and ids are integers); results are from float64, to twelve significant digits.",
            "draws": f"A tensor with `draw` is offset + scale*u, rounded to float32: {LCG}; s starts at the seed; "
            "u = s/2^32 - 0.5.",
            "gradients": "`outputGradient` is fed to the first output; `inputGradients` holds the resulting gradient of "
            "every floating-point input.",
            "cross entropy": "`loss` is the sum of the counted rows' losses divided by their number, and has output "
            "gradient 1; `rowLosses` is zero where the label is ignored.",
            "attention": "(batch, heads, length, head size); position i sees positions 0 to i.",
        },
        "cases": cases,
    },
)
