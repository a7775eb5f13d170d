"""Writes metrics-classes.json: metrics of classifiers by scikit-learn, and calibration by its definition in NumPy.

Run: pip install scikit-learn && python3 tests/golden/metrics-classes.py
"""

import json
import math
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn import metrics as sk

warnings.simplefilter("ignore")


def drawn(seed, count, classes, labels, levels=None):
    """Labels, and probabilities as float32 has them; few levels give ties."""
    random = np.random.default_rng(seed)
    y = random.choice(labels, count)
    scores = random.normal(size=(count, classes))
    scores[np.arange(count), y] += 1.2
    if levels:
        scores = np.round(scores * levels) / levels
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return y, p.astype(np.float32)


sets = {
    "binary": drawn(1, 40, 2, [0, 1]),
    "binaryTies": drawn(2, 60, 2, [0, 0, 1], levels=2),
    "four": drawn(3, 80, 4, [0, 1, 1, 2, 3]),
    "fourTies": drawn(4, 60, 4, [0, 1, 2, 3], levels=1),
    "absent": drawn(5, 30, 4, [0, 2]),
    "oneClass": drawn(6, 10, 2, [1]),
    "oneClassAlwaysRight": (np.array([1, 1, 1]), np.array([[0.1, 0.9], [0.25, 0.75], [0, 1]], dtype=np.float32)),
    "allWrong": (np.array([0, 0]), np.array([[0.25, 0.75], [0.4, 0.6]], dtype=np.float32)),
    "neverPredicted": (
        np.array([0, 0, 1, 2, 2, 1]),
        np.array([[0.9, 0, 0.1], [0.5, 0.25, 0.25], [0.75, 0.25, 0], [0, 0, 1], [0.6, 0, 0.4], [0.1, 0.1, 0.8]], dtype=np.float32),
    ),
}
random = np.random.default_rng(7)
truth = random.integers(0, 2, size=(30, 3))
truth[:, 2] = 0
truth[4, 2] = 1
multi_scores = np.round(1 / (1 + np.exp(-(random.normal(size=(30, 3)) + 2 * truth - 1))), 2).astype(np.float32)
unseen = truth.copy()
unseen[:, 2] = 0
multi = {"multiLabel": (truth, multi_scores), "multiLabelUnseen": (unseen, multi_scores)}


def calibration(confidence, right, bins, norm):
    """Guo et al. (2017): bin m is ((m-1)/M, m/M]."""
    confidence = confidence.astype(np.float64)
    gaps = []
    for m in range(1, bins + 1):
        held = (confidence > (m - 1) / bins) & (confidence <= m / bins)
        if held.any():
            gaps.append((held.mean(), abs(right[held].mean() - confidence[held].mean())))
    if norm == "max":
        return max(gap for _, gap in gaps)
    power = 2 if norm == "l2" else 1
    return sum(size * gap**power for size, gap in gaps) ** (1 / power)


def clean(value):
    """NaN as null, and lists for arrays."""
    if isinstance(value, np.ndarray):
        return [clean(one) for one in value]
    value = float(value)
    return None if math.isnan(value) else value


values = []


def add(name, metric, options, value):
    values.append({"set": name, "metric": metric, "options": options, "value": clean(value)})


prf = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def add_prf(name, y, predicted, labels):
    for metric, score in prf.items():
        for average in ("macro", "micro", "weighted"):
            for zero in ("NaN", 0, 1):
                options = {"average": average, "zeroDivision": zero}
                zero_division = np.nan if zero == "NaN" else zero
                add(name, metric, options, score(y, predicted, average=average, labels=labels, zero_division=zero_division))
        add(name, metric, {"average": "none"}, score(y, predicted, average=None, labels=labels, zero_division=np.nan))


for name, (y, p) in sets.items():
    classes = p.shape[1]
    labels = list(range(classes))
    predicted = p.argmax(axis=1)
    add(name, "accuracy", {}, sk.accuracy_score(y, predicted))
    add_prf(name, y, predicted, labels)
    if classes == 2:
        for positive in (0, 1):
            for metric, score in prf.items():
                value = score(y, predicted, average="binary", pos_label=positive, zero_division=np.nan)
                add(name, metric, {"average": "binary", "positive": positive}, value)
        add(name, "roc_auc", {}, sk.roc_auc_score(y, p[:, 1]))
        add(name, "roc_auc", {"positive": 0}, sk.roc_auc_score(1 - y, p[:, 0]))
        if y.any():  # Without a positive example scikit-learn gives 0, and codex-ml NaN.
            add(name, "average_precision", {}, sk.average_precision_score(y, p[:, 1]))
    else:
        one_hot = np.eye(classes, dtype=int)[y]
        columns = [(one_hot[:, k], p[:, k]) for k in labels]
        add(name, "roc_auc", {"average": "none"}, np.array([sk.roc_auc_score(t, s) for t, s in columns]))
        add(name, "roc_auc", {"average": "micro"}, sk.roc_auc_score(one_hot, p, average="micro"))
        add(name, "roc_auc", {"average": "weighted"}, sk.roc_auc_score(one_hot, p, average="weighted"))
        add(name, "average_precision", {"average": "weighted"}, sk.average_precision_score(one_hot, p, average="weighted"))
        add(name, "average_precision", {"average": "micro"}, sk.average_precision_score(one_hot, p, average="micro"))
        if one_hot.any(axis=0).all():
            p64 = p.astype(np.float64)
            add(name, "roc_auc", {}, sk.roc_auc_score(y, p64 / p64.sum(axis=1, keepdims=True), multi_class="ovr"))
            add(name, "average_precision", {}, sk.average_precision_score(one_hot, p))
            add(name, "average_precision", {"average": "none"}, sk.average_precision_score(one_hot, p, average=None))
    for k in (1, 2, 3):
        if k < classes and classes > 2 and name not in ("fourTies", "neverPredicted"):  # Ties are broken otherwise.
            add(name, "top_k_accuracy", {"k": k}, sk.top_k_accuracy_score(y, p, k=k, labels=labels))
    add(name, "mcc", {"zeroDivision": 0}, sk.matthews_corrcoef(y, predicted))
    add(name, "confusion_matrix", {}, sk.confusion_matrix(y, predicted, labels=labels))
    if name != "absent":
        add(name, "confusion_matrix", {"normalize": "all"}, sk.confusion_matrix(y, predicted, labels=labels, normalize="all"))
    if name in ("four", "binary"):
        for normalize in ("true", "pred"):
            matrix = sk.confusion_matrix(y, predicted, labels=labels, normalize=normalize)
            add(name, "confusion_matrix", {"normalize": normalize}, matrix)
    for bins, norm in ((15, "l1"), (10, "l1"), (5, "l2"), (4, "max")):
        value = calibration(p.max(axis=1), predicted == y, bins, norm)
        add(name, "expected_calibration_error", {"bins": bins, "norm": norm}, value)

for name, (y, p) in multi.items():
    predicted = (p > 0.5).astype(int)
    add(name, "accuracy", {}, sk.accuracy_score(y, predicted))
    add_prf(name, y, predicted, None)
    for average in ("macro", "weighted", "micro"):
        if average != "macro" or y.any(axis=0).all():
            add(name, "roc_auc", {"average": average}, sk.roc_auc_score(y, p, average=average))
            add(name, "average_precision", {"average": average}, sk.average_precision_score(y, p, average=average))
    matrices = sk.multilabel_confusion_matrix(y, predicted).reshape(3, 4)
    add(name, "confusion_matrix", {}, matrices)
    value = calibration(p.ravel(), y.ravel(), 10, "l1")
    add(name, "expected_calibration_error", {"bins": 10}, value)

result = {
    "about": "sets: labels (of multi-label sets a row of 0 and 1 an example) and probabilities, which are float32; predictions "
    "are the most likely class, or those above 0.5. values: what scikit-learn gives, averages over all classes, null for NaN; a "
    "list is per class, a confusion matrix its rows (multi-label: tn, fp, fn, tp a class); calibration by its definition.",
    "versions": {"scikit-learn": version("scikit-learn"), "numpy": version("numpy")},
    "sets": {
        name: {"labels": y.tolist(), "probabilities": [[float(str(s)) for s in row] for row in p]}
        for name, (y, p) in {**sets, **multi}.items()
    },
    "values": values,
}
lines = [f'"about": {json.dumps(result["about"])}', f'"versions": {json.dumps(result["versions"])}']
lines.append('"sets": {\n' + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in result["sets"].items()) + "\n}")
lines.append('"values": [\n' + ",\n".join(json.dumps(one) for one in values) + "\n]")
(Path(__file__).parent / "metrics-classes.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
