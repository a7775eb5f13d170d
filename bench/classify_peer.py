"""F1 of scikit-learn's TF-IDF and logistic regression on the split that bench/classify.bench.ts wrote.

    python bench/classify_peer.py split.json
"""
import json
import sys
import time

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

split = json.load(open(sys.argv[1], encoding="utf-8"))
started = time.perf_counter()
model = make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2), LogisticRegression(C=30, max_iter=1000))
model.fit([text for text, _ in split["train"]], [label for _, label in split["train"]])
predicted = model.predict([text for text, _ in split["validation"]])
expected = [label for _, label in split["validation"]]
print(
    json.dumps(
        {
            "version": sklearn.__version__,
            "f1": f1_score(expected, predicted, pos_label="spam"),
            "seconds": time.perf_counter() - started,
        }
    )
)
