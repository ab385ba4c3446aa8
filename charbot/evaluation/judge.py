"""A speaker classifier for evaluation: TF-IDF of words and characters, logistic regression.

Generation never uses it, so that it is an independent judge of replies.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union


class Judge:
    """A classifier of lines by speaker, trained on the `lines` of each."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        texts = [text for said in lines.values() for text in said]
        speakers = [name for name, said in lines.items() for _ in said]
        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=5, sublinear_tf=True, dtype=np.float32),
        )
        self._model: Pipeline = make_pipeline(features, LogisticRegression(C=2.0, max_iter=500, tol=1e-3))
        self._model.fit(texts, speakers)
        self.speakers: list[str] = list(self._model.classes_)
        counts = np.array([len(lines[name]) for name in self.speakers])
        self._prior = np.log(counts / counts.sum())

    def evidence(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return log p(speaker | text) - log p(speaker), (texts, speakers)."""
        found: NDArray[np.float64] = self._model.predict_log_proba(texts) - self._prior
        return found

    def recognised(self, lines: Mapping[str, Sequence[str]], together: int) -> float:
        """Return the accuracy on groups of `together` lines of one speaker; NaN if there are no such groups."""
        right = []
        for name, said in lines.items():
            groups = len(said) // together
            if groups:
                evidence = self.evidence(said[: groups * together]).reshape(groups, together, -1).sum(1) + self._prior
                right += [self.speakers[best] == name for best in evidence.argmax(1)]
        return float(np.mean(right)) if right else float("nan")
