"""What gpt2.py and operators.py share: the reproducible draws, and writing JSON."""

import base64
import json
from pathlib import Path

import numpy as np
import torch

LCG = "s = (1664525*s + 1013904223) mod 2^32, advanced once before each draw"


class Draws:
    """A 32-bit linear congruential generator. In JavaScript: s = (Math.imul(1664525, s) + 1013904223) >>> 0."""

    def __init__(self, seed: int):
        self.s = seed

    def next(self) -> int:
        self.s = (1664525 * self.s + 1013904223) % 2**32
        return self.s

    def numbers(self, shape, scale, offset=0.0) -> torch.Tensor:
        """offset + scale*u with u = s/2^32 - 0.5, in row-major order, rounded to float32, held as float64."""
        count = int(np.prod(shape))
        values = [offset + scale * (self.next() / 2**32 - 0.5) for _ in range(count)]
        rounded = np.array(values, dtype=np.float64).astype(np.float32).astype(np.float64)
        return torch.from_numpy(rounded.reshape(shape))

    def ids(self, shape, vocabulary) -> torch.Tensor:
        """(s >>> 8) mod vocabulary, in row-major order."""
        count = int(np.prod(shape))
        return torch.tensor([(self.next() >> 8) % vocabulary for _ in range(count)]).reshape(shape)


def number(value) -> float:
    """A float64 to twelve significant digits, so that the order of a sum does not change a file; no negative zero."""
    value = value.item() if isinstance(value, torch.Tensor) else value
    return float(f"{value:.12g}") + 0.0


def numbers(tensor) -> list:
    return [number(value) for value in tensor.detach().flatten().tolist()]


def base64_float32(tensor) -> str:
    return base64.b64encode(tensor.detach().numpy().astype("<f4").tobytes()).decode("ascii")


def write(name: str, content: dict) -> None:
    """One line for each entry of a top-level list or object, so that the file stays short and a diff readable."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            text = "{\n" + inner + "\n  }"
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n" + ",\n".join("    " + json.dumps(v) for v in value) + "\n  ]"
        else:
            text = json.dumps(value)
        lines.append(f"  {json.dumps(key)}: {text}")
    body = "{\n" + ",\n".join(lines) + "\n}\n"
    assert json.loads(body) == content
    (Path(__file__).resolve().parent / name).write_text(body, encoding="utf-8")
