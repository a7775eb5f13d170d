"""Writes schedules.json: learning rates of transformers' get_scheduler.

Run: pip install torch transformers && python3 tests/golden/schedules.py
"""

import sys

sys.dont_write_bytecode = True

from draws import number, write

# safetensors.py lies in this folder, and transformers would take it for the package.
sys.path.pop(0)

import torch
import transformers
from transformers import get_scheduler

PEAK = 2e-3
STEPS = 40


def case(name, warmup, options, kwargs):
    """`rates[k]`: the learning rate after k steps of the scheduler, for the shape with our `options`."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=PEAK)
    schedule = get_scheduler(
        name, optimizer, num_warmup_steps=warmup, num_training_steps=STEPS, scheduler_specific_kwargs=kwargs
    )
    rates = []
    for _ in range(STEPS + 1):
        rates.append(number(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return {"name": name, "warmupSteps": warmup, "options": options, "rates": rates}


write("schedules.json", {
    "about": {
        "file": f"transformers {transformers.__version__}, get_scheduler with a peak of {PEAK} over {STEPS} steps. rates[k] "
        "is what it gives after k steps: what an update k (from 1) of ours learns at.",
    },
    "learningRate": PEAK,
    "maxSteps": STEPS,
    "cases": [
        case("constant", 0, {}, {}),
        case("constant_with_warmup", 10, {}, {}),
        case("linear", 0, {}, {}),
        case("linear", 7, {}, {}),
        case("cosine", 10, {}, {}),
        case("cosine", 10, {"numCycles": 1.5}, {"num_cycles": 1.5}),
        case("cosine_with_min_lr", 10, {"minLrRate": 0.1}, {"min_lr_rate": 0.1}),
        case("cosine_with_min_lr", 0, {"minLrRate": 0.3, "numCycles": 1}, {"min_lr_rate": 0.3, "num_cycles": 1}),
        case("inverse_sqrt", 10, {"timescale": 10}, {}),
        case("inverse_sqrt", 5, {"timescale": 20}, {"timescale": 20}),
        case("inverse_sqrt", 0, {"timescale": 10000}, {}),
        case("warmup_stable_decay", 10, {"numDecaySteps": 12}, {"num_decay_steps": 12}),
        case(
            "warmup_stable_decay",
            10,
            {"numDecaySteps": 15, "minLrRate": 0.2, "warmupType": "cosine", "decayType": "linear"},
            {"num_decay_steps": 15, "min_lr_ratio": 0.2, "warmup_type": "cosine", "decay_type": "linear"},
        ),
        case(
            "warmup_stable_decay",
            8,
            {"numDecaySteps": 32, "minLrRate": 0.1, "warmupType": "1-sqrt", "decayType": "1-sqrt"},
            {"num_decay_steps": 32, "min_lr_ratio": 0.1, "warmup_type": "1-sqrt", "decay_type": "1-sqrt"},
        ),
    ],
})
