"""An independent judge of who speaks: TF-IDF of words and characters, logistic regression.

The reply engine never sees it: what chooses replies cannot say how well they are chosen.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union


class Judge:
    """Tells speakers apart by their lines. Fitted to `lines`, of each speaker."""

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
        """(texts, speakers) log p(speaker | text) - log p(speaker)."""
        found: NDArray[np.float64] = self._model.predict_log_proba(texts) - self._prior
        return found

    def recognised(self, lines: Mapping[str, Sequence[str]], together: int) -> float:
        """The share of groups of so many lines of a speaker that are taken for the speaker's. NaN where there are none."""
        right = []
        for name, said in lines.items():
            groups = len(said) // together
            if groups:
                evidence = self.evidence(said[: groups * together]).reshape(groups, together, -1).sum(1) + self._prior
                right += [self.speakers[best] == name for best in evidence.argmax(1)]
        return float(np.mean(right)) if right else float("nan")
