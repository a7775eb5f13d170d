"""Losses of PyTorch in float64: label smoothing, class weights, binary cross-entropy; squares, divergence and contrast with
gradients.

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


def leaf(*shape):
    return torch.randn(*shape, dtype=torch.float64).float().double().requires_grad_()


def differentiated(compute, **inputs):
    """Losses that are kept apart, and the gradients of their mean."""
    losses = compute(**inputs)
    gradients = torch.autograd.grad(losses.mean(), list(inputs.values()))
    return {
        "inputs": {name: x.tolist() for name, x in inputs.items()},
        "losses": losses.tolist(),
        "mean": losses.mean().item(),
        "gradients": {name: gradient.tolist() for name, gradient in zip(inputs, gradients)},
    }


def squares(predictions, targets):
    assert torch.equal(F.mse_loss(predictions, targets), F.mse_loss(predictions, targets, reduction="none").mean())
    return F.mse_loss(predictions, targets, reduction="none")


def divergence(temperature):
    def compute(student, teacher):
        q, p = F.log_softmax(student / temperature, -1), F.softmax(teacher / temperature, -1)
        losses = F.kl_div(q, p, reduction="none").sum(-1)
        assert torch.isclose(losses.mean(), F.kl_div(q, p, reduction="batchmean"), rtol=1e-12)
        return losses

    return compute


def contrast(temperature, cosine, symmetric):
    def compute(queries, documents):
        if cosine:
            queries, documents = F.normalize(queries, dim=-1), F.normalize(documents, dim=-1)
        scores = queries @ documents.T / temperature
        labels = torch.arange(len(queries))
        losses = F.cross_entropy(scores, labels, reduction="none")
        back = F.cross_entropy(scores[:, : len(queries)].T, labels, reduction="none")
        return (losses + back) / 2 if symmetric else losses

    return compute


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
            "squares": differentiated(squares, predictions=leaf(3, 4), targets=leaf(3, 4)),
            "divergence": differentiated(divergence(1.0), student=leaf(3, 5), teacher=leaf(3, 5)),
            "divergence, temperature 2.5": differentiated(divergence(2.5), student=leaf(3, 5), teacher=leaf(3, 5)),
            # ONNX Runtime folds 1 / temperature into the product, in float32: these have exact ones.
            "contrast": differentiated(contrast(0.05, True, False), queries=leaf(4, 6), documents=leaf(4, 6)),
            "contrast, further negatives, products": differentiated(
                contrast(0.5, False, False), queries=leaf(3, 6), documents=leaf(5, 6)
            ),
            "contrast, symmetric": differentiated(contrast(0.2, True, True), queries=leaf(4, 6), documents=leaf(4, 6)),
        }
    )
)
