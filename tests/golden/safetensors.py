"""Writes safetensors.bin with the reference implementation. Run once: pip install safetensors numpy; python safetensors.py"""
import sys
from pathlib import Path

# This file's own name would hide the package.
here = Path(__file__).resolve().parent
sys.path = [p for p in sys.path if Path(p or ".").resolve() != here]

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "wte.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "b": np.array([-1.5, np.inf], dtype=np.float64),
        "a": np.array([2**31 - 1, -(2**31)], dtype=np.int32),
        "step": np.array(2**53 + 1, dtype=np.int64),
        "mask": np.array([True, False, True]),
        "keys": np.array([0, 2**32 - 1], dtype=np.uint32),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "größe": np.array([0.1], dtype=np.float32),
    },
    here / "safetensors.bin",
    metadata={"format": "pt"},
)
