"""F1 of scikit-learn's TF-IDF and logistic regression on the splits that bench/classify.bench.ts wrote.

Words or also pairs of words, and the strength of regularisation, are those with the best F1 on the validation split.

    python bench/classify_peer.py splits.json
"""
import json
import sys
import time

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

with open(sys.argv[1], encoding="utf-8") as file:
    splits = {name: tuple(zip(*rows)) for name, rows in json.load(file).items()}
texts = {name: of for name, (of, _) in splits.items()}
labels = {name: of for name, (_, of) in splits.items()}


def f1(model, features, split):
    return f1_score(labels[split], model.predict(features[split]), pos_label="spam")


started = time.perf_counter()
best = None
for longest in (1, 2):
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, longest), min_df=2).fit(texts["train"])
    features = {name: vectorizer.transform(of) for name, of in texts.items()}
    for C in (1, 3, 10, 30, 100, 300, 1000):
        model = LogisticRegression(C=C, max_iter=1000).fit(features["train"], labels["train"])
        chosen = f1(model, features, "validation")
        if best is None or chosen > best["validation"]:
            best = {"ngrams": longest, "C": C, "validation": chosen, "f1": f1(model, features, "test")}
print(json.dumps({"version": sklearn.__version__, **best, "seconds": time.perf_counter() - started}))
