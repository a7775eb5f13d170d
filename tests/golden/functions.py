"""Writes functions.json: values and gradients of the operators beside matrix products and norms, by PyTorch in float64.

Run: python3 tests/golden/functions.py

Made with PyTorch 2.15. Numbers are quarters, so that float32 holds them and equal ones occur.
"""

import sys

sys.dont_write_bytecode = True

import torch
import torch.nn.functional as F

from draws import numbers, write

torch.manual_seed(11)
cases = {}


def quarters(*shape, low=-8, high=9):
    return torch.randint(low, high, shape).double() / 4


def described(tensor):
    data = numbers(tensor) if tensor.is_floating_point() else tensor.flatten().int().tolist()
    return {"shape": list(tensor.shape), "data": data}


def case(name, compute, *inputs):
    """Real inputs are differentiated for; integers are indices."""
    given = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    output = compute(*given)
    entry = {"inputs": [described(x) | {"integers": not x.is_floating_point()} for x in inputs], "output": described(output.detach())}
    if output.requires_grad:
        factors = quarters(*output.shape, low=1)
        gradients = torch.autograd.grad((output * factors).sum(), [x for x in given if x.requires_grad])
        entry |= {"factors": described(factors), "gradients": [described(g) for g in gradients]}
    cases[name] = entry


a, b = quarters(2, 3, 4), quarters(3, 1)
case("maximum", torch.maximum, a, b)
case("minimum", torch.minimum, a, b)
a[0, 0, 0], a[0, 0, 1] = -0.5, 1
case("clip", lambda x: x.clamp(-0.5, 1), a)
case("clip from below", lambda x: x.clamp(min=-0.5), a)
case("clip from above", lambda x: x.clamp(max=1), a)
case("abs", torch.abs, a)
case("relu", torch.relu, a)
case("sign", lambda x: torch.sign(x).detach(), a)
case("floor", lambda x: torch.floor(x).detach(), a)
case("pow, 3", lambda x: x**3, a)
case("pow, 0.5", lambda x: x**0.5, quarters(2, 3, low=1))
case("pow, 0", lambda x: x**0, a)
case("pow, exponents", torch.pow, quarters(2, 3, low=0), quarters(3, low=1))
case("where", lambda x, y: torch.where(x > y, x * 2, y), a, b)
for op in ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"]:
    function = {"equal": torch.eq, "notEqual": torch.ne, "less": torch.lt, "lessEqual": torch.le, "greater": torch.gt, "greaterEqual": torch.ge}[op]
    case(op, lambda x, y: function(x, y).int(), a, b)
case("reduceMean", lambda x: x.mean(), a)
case("reduceMean over axes", lambda x: x.mean((0, 2), keepdim=True), a)
case("reduceMax over axes", lambda x: x.amax((0, 2)), a)
case("reduceMax", lambda x: x.amax(), a)
case("reduceMin over an axis", lambda x: x.amin(1, keepdim=True), a)
zeros = torch.tensor([[1.0, -2, 3, 0.5], [0, 2, 3, 4], [0, 0, 1.5, 2], [0, 0, 0, 0]], dtype=torch.float64)
case("reduceProd over an axis", lambda x: x.prod(1), zeros)
case("reduceProd", lambda x: x.prod(), quarters(2, 3, low=1))
case("argmax", lambda x: x.argmax(-1), quarters(3, 4))
case("argmax over the first axis", lambda x: x.argmax(0, keepdim=True), quarters(3, 4))
case("argmin over an axis", lambda x: x.argmin(1), a)
case("cumsum", lambda x: x.cumsum(1), a)
case("cumsum, reverse", lambda x: x.flip(2).cumsum(2).flip(2), a)
case("cumsum, exclusive", lambda x: x.cumsum(0) - x, a)
case("gather along an axis", lambda x, i: x[:, i], a, torch.tensor([[2, 0], [2, 1]]))
case("gatherElements", lambda x, i: x.gather(1, i), quarters(3, 4), torch.tensor([[3, 0, 0], [1, 1, 1], [2, 3, 0]]))
case("gatherElements along the first axis", lambda x, i: x.gather(0, i), quarters(3, 4), torch.tensor([[2, 0, 1, 1], [2, 2, 0, 1]]))
case("scatterAdd", lambda x, i, u: x.scatter_add(1, i, u), quarters(2, 3), torch.tensor([[0, 0, 2, 0], [1, 1, 1, 1]]), quarters(2, 4))
case("scatterAdd along the first axis", lambda x, i, u: x.scatter_add(0, i, u), quarters(3, 2), torch.tensor([[0, 2], [0, 2]]), quarters(2, 2))
case("oneHot", lambda i: F.one_hot(i, 5), torch.tensor([[0, 4], [2, 2]]))
case("softmax over an axis", lambda x: x.softmax(1), a)
case("logSoftmax", lambda x: x.log_softmax(-1), a * 20)
case("stack", lambda x, y: torch.stack([x, y], -1), quarters(2, 3), quarters(2, 3))
case("squeeze and unsqueeze", lambda x: x.squeeze(1).unsqueeze(-1), quarters(2, 1, 3))
write(
    "functions.json",
    {
        "about": {
            "tensors": "A tensor is {shape, data}, row-major; inputs with `integers` are int32 indices.",
            "gradients": "Those of the sum of output times `factors`, for each real input; absent for integer outputs.",
        },
        "cases": cases,
    },
)
