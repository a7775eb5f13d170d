"""Writes optimizers.json: fifty updates of the reference implementations, in float64 with given gradients.

Run: pip install torch lion-pytorch && python3 tests/golden/optimizers.py
"""

import inspect
import sys

sys.dont_write_bytecode = True

import torch
from lion_pytorch import Lion
from torch.optim import _muon

from draws import LCG, Draws, base64_float32, write

torch.set_num_threads(1)

# PyTorch orthogonalizes in bfloat16, whose three digits no other implementation can be compared with: the same code,
# word for word, in float64.
source = inspect.getsource(_muon._zeropower_via_newtonschulz)
assert source.count("torch.bfloat16") == 1
exec(source.replace("torch.bfloat16", "torch.float64"), _muon.__dict__)

SHAPES = {"wide": (4, 6), "tall": (6, 3), "cube": (2, 3, 4), "vector": (5,)}
STEPS = 50
KEPT = (1, 10, 50)
FLOAT32_EPSILON = 2.0**-23


def first_parameters():
    return {name: Draws(1 + index).numbers(shape, 1.0) for index, (name, shape) in enumerate(SHAPES.items())}


def gradient(step, index, shape):
    return Draws(1000 * step + index).numbers(shape, 2.0)


def rate_at(step, rate):
    return rate * min(1.0, step / 10)


def case(name, options, optimizers):
    """`optimizers` makes torch optimizers of (matrices, others, decay of matrices)."""
    parameters = {key: value.requires_grad_() for key, value in first_parameters().items()}
    matrices = [p for p in parameters.values() if p.dim() > 1]
    vectors = [p for p in parameters.values() if p.dim() == 1]
    decay = options.get("weightDecay", 0.0)
    rate = options["learningRate"]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    made = optimizers(groups, parameters)
    kept = []
    for step in range(1, STEPS + 1):
        for index, (key, shape) in enumerate(SHAPES.items()):
            parameters[key].grad = gradient(step, index, shape)
        for optimizer in made:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, rate)
            optimizer.step()
        if step in KEPT:
            kept.append({"step": step} | {key: base64_float32(value) for key, value in parameters.items()})
    return {"name": name, "options": options, "parameters": kept}


def adamw(learningRate, weightDecay, beta1, beta2, epsilon):
    options = dict(learningRate=learningRate, weightDecay=weightDecay, beta1=beta1, beta2=beta2, epsilon=epsilon)
    return case("adamw", options, lambda groups, _: [
        torch.optim.AdamW(groups, lr=learningRate, betas=(beta1, beta2), eps=epsilon)
    ])


def sgd(learningRate, weightDecay, momentum, dampening, nesterov):
    options = dict(
        learningRate=learningRate, weightDecay=weightDecay, momentum=momentum, dampening=dampening, nesterov=nesterov
    )
    return case("sgd", options, lambda groups, _: [
        torch.optim.SGD(groups, lr=learningRate, momentum=momentum, dampening=dampening, nesterov=nesterov)
    ])


def lion(learningRate, weightDecay, beta1, beta2):
    options = dict(learningRate=learningRate, weightDecay=weightDecay, beta1=beta1, beta2=beta2)
    return case("lion", options, lambda groups, _: [Lion(groups, lr=learningRate, betas=(beta1, beta2))])


def adafactor(learningRate, weightDecay, beta2Decay, epsilon1, epsilon2, d):
    options = dict(
        learningRate=learningRate, weightDecay=weightDecay, beta2Decay=beta2Decay, epsilon1=epsilon1, epsilon2=epsilon2, d=d
    )
    return case("adafactor", options, lambda groups, _: [
        torch.optim.Adafactor(groups, lr=learningRate, beta2_decay=beta2Decay, eps=(epsilon1, epsilon2), d=d)
    ])


def muon(learningRate, weightDecay, momentum, nesterov, nsSteps, adjustLrFn):
    options = dict(
        learningRate=learningRate,
        weightDecay=weightDecay,
        momentum=momentum,
        nesterov=nesterov,
        nsSteps=nsSteps,
        adjustLrFn=adjustLrFn,
    )

    def made(_, parameters):
        others = [
            {"params": [parameters["cube"]], "weight_decay": weightDecay},
            {"params": [parameters["vector"]], "weight_decay": 0.0},
        ]
        return [
            torch.optim.Muon(
                [parameters["wide"], parameters["tall"]],
                lr=learningRate,
                weight_decay=weightDecay,
                momentum=momentum,
                nesterov=nesterov,
                ns_steps=nsSteps,
                adjust_lr_fn=adjustLrFn,
            ),
            torch.optim.AdamW(others, lr=learningRate, betas=(0.9, 0.95), eps=1e-8),
        ]

    return case("muon", options, made)


write("optimizers.json", {
    "about": {
        "file": f"torch.optim's AdamW, SGD, Adafactor and Muon of PyTorch {torch.__version__.split('+')[0]}, and Lion of "
        "lion-pytorch, in float64. Muon's Newton-Schulz iteration, too, runs in float64, where PyTorch has bfloat16; what "
        "is no matrix goes to AdamW with betas 0.9 and 0.95. weightDecay is for all but the vector.",
        "parameters": "first values: u in [-0.5, 0.5) from seed 1 + index of the shape; values after an update: float32, little-endian, base64, row-major",
        "gradients": "of update k (from 1): 2u from seed 1000 k + index of the shape",
        "learningRate": "of update k: options.learningRate * min(1, k / 10)",
        "generator": LCG,
    },
    "shapes": {key: list(shape) for key, shape in SHAPES.items()},
    "cases": [
        adamw(1e-2, 0.1, 0.9, 0.95, 1e-8),
        adamw(1e-2, 0.0, 0.8, 0.999, 1e-3),
        sgd(0.05, 0.0, 0.0, 0.0, False),
        sgd(0.05, 0.1, 0.9, 0.0, False),
        sgd(0.05, 0.1, 0.9, 0.3, False),
        sgd(0.05, 0.1, 0.9, 0.0, True),
        lion(1e-2, 0.5, 0.9, 0.99),
        lion(1e-2, 0.0, 0.95, 0.98),
        adafactor(1e-2, 0.0, -0.8, FLOAT32_EPSILON, 1e-3, 1.0),
        # The learning rate is above 1/sqrt(t), small parameters count as large, changes are hardly clipped.
        adafactor(0.5, 0.1, -0.5, 1e-3, 0.4, 1.5),
        muon(2e-2, 0.1, 0.95, True, 5, "match_rms_adamw"),
        muon(2e-2, 0.0, 0.9, False, 3, "original"),
        muon(2e-2, 0.1, 0.95, True, 5, "spectral_unclamped"),
    ],
})
