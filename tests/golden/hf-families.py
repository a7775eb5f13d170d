"""Writes tests/golden/hf-families.json: small tokenizers with the settings of published families, for tests/tokenizers/hf-families.test.ts.

    pip install --target <folder outside the repository> tokenizers==0.23.3 sentencepiece==0.2.3
    PYTHONPATH=<that folder> python tests/golden/hf-families.py

Each has the `tokenizer.json` that the Rust library writes, with the normaliser, pre-tokeniser, model settings, added tokens,
post-processor and decoder of the family (as in the files that its authors publish), and a vocabulary of a few hundred pieces
learned from the text below. `config` is what of their `tokenizer_config.json` names special tokens.
"""

import base64
import json
import re
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

root = Path(__file__).resolve().parents[2]
text = [
    "It was the best of times, it was the worst of times; don't we'll they've I'm. " * 20,
    "naïve café — “quotes” 東京 東京都 한국어 мир мира 👩‍👩‍👧 e\u0301 1984 1984 ½ ﬁ Ａ\n" * 10,
    "__proto__ constructor toString hasOwnProperty 0 1 12 123 <0x41>\n" * 10,
    "    indented = [1, 2];\n\n        deeper(x)\t// why?\r\n" * 20,
]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def special(*tokens, **options):
    return [AddedToken(token, special=True, normalized=False, **options) for token in tokens]


def trained(tokenizer, trainer, added=()):
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.add_special_tokens(list(added))
    return tokenizer


def bpe_trainer(tokens, alphabet=ALPHABET, size=450, **options):
    return trainers.BpeTrainer(
        vocab_size=size, special_tokens=tokens, initial_alphabet=alphabet, show_progress=False, **options
    )


def changed_model(tokenizer, **changes):
    """The same tokenizer with other fields of its model: those that a trainer does not set."""
    file = json.loads(tokenizer.to_str())
    file["model"].update(changes)
    return Tokenizer.from_str(json.dumps(file))


def bert_uncased():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained(tokenizer, trainers.WordPieceTrainer(vocab_size=400, special_tokens=tokens, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer, {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}


def gpt2():
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained(tokenizer, bpe_trainer([]), special("<|endoftext|>"))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True)
    return tokenizer, {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}


def roberta():
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained(tokenizer, bpe_trainer(["<s>", "<pad>", "</s>", "<unk>"]), special("<mask>", lstrip=True))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    tokenizer.decoder = decoders.ByteLevel()
    config = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}
    return tokenizer, {**config, "eos_token": "</s>", "bos_token": "<s>"}


def clip():
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(ALPHABET)
    learned = bpe_trainer([], alphabet, end_of_word_suffix="</w>", size=700)
    trained(tokenizer, learned)
    # CLIP has every byte within and at the end of a word.
    file = json.loads(tokenizer.to_str())
    vocabulary = list(file["model"]["vocab"])
    vocabulary += [token for byte in alphabet for token in (byte, f"{byte}</w>") if token not in vocabulary]
    file["model"]["vocab"] = {token: at for at, token in enumerate(vocabulary)}
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.add_special_tokens(special("<|startoftext|>", "<|endoftext|>"))
    ends = {token: tokenizer.token_to_id(token) for token in ("<|startoftext|>", "<|endoftext|>")}
    tokenizer.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", ends["<|endoftext|>"]), ("<|startoftext|>", ends["<|startoftext|>"]), False, False
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}


def llama2():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    # Trained on words; the family's file has no pre-tokeniser.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trained(tokenizer, bpe_trainer(["<unk>", "<s>", "</s>", *BYTES], [], size=700, limit_alphabet=90))
    file = json.loads(tokenizer.to_str())
    file["pre_tokenizer"] = None
    file["added_tokens"] = file["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def mistral():
    """As Llama 2, in the form that files have had since 2024."""
    tokenizer, config = llama2()
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer, config


def gemma():
    tokenizer, _ = llama2()
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def llama3():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokens = special("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|finetune_right_pad_id|>")
    trained(tokenizer, bpe_trainer([]), tokens)
    tokenizer = changed_model(tokenizer, ignore_merges=True)
    first = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<|begin_of_text|> $A",
                pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                special_tokens=[("<|begin_of_text|>", first)],
            ),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    config = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "<|finetune_right_pad_id|>"}
    return tokenizer, config


def qwen2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trained(tokenizer, bpe_trainer([]), special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}


def gpt_neox():
    """Runs of spaces are added tokens that are not special: found in every text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained(tokenizer, bpe_trainer(["<|endoftext|>", "<|padding|>"]))
    tokenizer.add_tokens([AddedToken(" " * spaces, normalized=True) for spaces in range(24, 1, -1)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}


def falcon():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Punctuation("contiguous"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated"),
        ]
    )
    trained(tokenizer, bpe_trainer(["<|endoftext|>"]))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, {"eos_token": "<|endoftext|>"}


def deepseek():
    tokenizer = Tokenizer(models.BPE())
    words = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"),
            pre_tokenizers.Split(Regex("[一-龥\u3040-ゟ゠-ヿ]+"), "isolated"),
            pre_tokenizers.Split(Regex(words), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trained(tokenizer, bpe_trainer(["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"]))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, {"eos_token": "<｜end▁of▁sentence｜>"}


def whitespace_words():
    """The pre-tokeniser of the library's own quick tour."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trained(tokenizer, bpe_trainer(tokens, [], size=300))
    return tokenizer, {}


def sentencepiece_unigram(rules):
    """A Unigram model of SentencePiece, and its normalisation as a table of characters."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, table = Path(folder, "corpus.txt"), Path(folder, "rules.tsv")
        corpus.write_text("\n".join(line for part in text for line in part.splitlines()), encoding="utf-8")
        lines = ["\t".join(" ".join(f"{ord(c):X}" for c in side) for side in rule) for rule in rules]
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus),
            model_prefix=str(Path(folder, "model")),
            vocab_size=150,
            character_coverage=0.99,
            hard_vocab_limit=False,
            normalization_rule_tsv=str(table),
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            minloglevel=2,
        )
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(Path(folder, "model.model").read_bytes())
    pieces = [(piece.piece, piece.score) for piece in model.pieces]
    return pieces, base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode("ascii")


# What nmt_nfkc does to the characters of the text and to some that break tokenizers.
RULES = [
    ("ﬁ", "fi"), ("½", "1⁄2"), ("Ａ", "A"), ("e\u0301", "é"), ("\u00a0", " "), ("\u3000", " "), ("\t", " "), ("\n", " "),
    ("\r", " "), ("\u200b", " "), ("\ufeff", ""), ("\u2581", " "), ("Ⅷ", "VIII"), ("²", "2"), ("\u0001", ""),
    ("a\u0308", "ä"), ("a\u0308\u0323", "ạ\u0308"), ("\u1100\u1161", "가"),
]


def t5():
    pieces, charsmap = sentencepiece_unigram(RULES)
    sentinels = [f"<extra_id_{n}>" for n in range(4, -1, -1)]
    tokenizer = Tokenizer(models.Unigram([*pieces, *((token, 0.0) for token in sentinels)], 2, False))
    tokenizer.normalizer = normalizers.Precompiled(base64.b64decode(charsmap))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.add_special_tokens(special("<pad>", "</s>", "<unk>", *sentinels))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def albert():
    pieces, charsmap = sentencepiece_unigram(RULES)
    tokenizer = Tokenizer(models.Unigram([*pieces, ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0)], 2, False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace("``", '"'),
            normalizers.Replace("''", '"'),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Precompiled(base64.b64decode(charsmap)),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(special("<pad>", "</s>", "<unk>", "[CLS]", "[SEP]", "[MASK]"))
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "<pad>", "mask_token": "[MASK]"}


def llama_unigram():
    """Unigram with byte fallback, as SentencePiece models are converted."""
    pieces, _ = sentencepiece_unigram([("\u2581", " ")])
    head = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *((byte, 0.0) for byte in BYTES)]
    body = [piece for piece in pieces if not re.fullmatch("<.*>", piece[0])]
    tokenizer = Tokenizer(models.Unigram([*head, *body], 0, True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.add_special_tokens(special("<unk>", "<s>", "</s>"))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


families = [
    bert_uncased, gpt2, roberta, clip, llama2, mistral, gemma, llama3, qwen2, gpt_neox, falcon, deepseek, whitespace_words, t5,
    albert, llama_unigram,
]  # fmt: skip
golden = {}
for family in families:
    tokenizer, config = family()
    golden[family.__name__] = {"tokenizer": json.loads(tokenizer.to_str()), "config": config}
out = root / "tests/golden/hf-families.json"
lines = [f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False, separators=(',', ':'))}" for name, one in golden.items()]
out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
