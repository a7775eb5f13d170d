"""Losses of PyTorch in float64: label smoothing, class weights, binary cross-entropy.

    python tests/golden/losses.py > tests/golden/losses.json

Made with PyTorch 2.15.
"""
import json

import torch
from torch.nn import functional as F

torch.manual_seed(7)
logits = torch.randn(6, 5, dtype=torch.float64) * 3
labels = torch.tensor([0, 4, -100, 2, 1, 1])
weights = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.5], dtype=torch.float64)
targets = torch.tensor([[1, 0, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 1], [1, 0, 0, 0, 0]])
rounded = logits.float().double()
print(
    json.dumps(
        {
            "torch": torch.__version__,
            "logits": rounded.tolist(),
            "labels": labels.tolist(),
            "targets": targets.tolist(),
            "weights": weights.tolist(),
            "plain": F.cross_entropy(rounded, labels, reduction="none").tolist(),
            "smoothed": F.cross_entropy(rounded, labels, reduction="none", label_smoothing=0.1).tolist(),
            "weighted": F.cross_entropy(rounded, labels, weight=weights).item(),
            "binary": F.binary_cross_entropy_with_logits(rounded, targets.double(), reduction="none").tolist(),
        }
    )
)
