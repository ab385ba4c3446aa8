"""Training of the speaker classifier, which predicts who says a line, among the characters with many lines."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite, log
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from charbot.corpus.split import Split
from charbot.corpus.table import speakers
from charbot.errors import CorpusError
from charbot.personas.bundle import ClassifierCard, write_classifier
from charbot.personas.library import Library
from charbot.personas.loading import base_model
from charbot.speakers.bilstm import BiLSTMSpeakerEncoder
from charbot.speakers.classifier import SpeakerClassifier, encoded, mixed
from charbot.speakers.ngrams import NgramClassifier, counted, scale
from charbot.tokens import tokenizer_for
from trainer.loop import Validation
from trainer.run import TrainingRun
from trainer.stream import Batch

_TOGETHER = 10
"""Number of lines of one speaker that are classified together, besides single lines, in evaluation."""
_GRID = tuple(tenth / 10 for tenth in range(11))
"""Grid for two hyperparameters: the exponent that discounts correlated lines of one speaker (n lines count as n to this power),
and the LSTM's weight in the mixture."""
_INVERSE_REGULARISATION = 0.3
"""Inverse regularisation strength of the n-gram weights: the best of 0.15, 0.3 and 1 on validation lines."""
_MIN_LINES = 3
"""Minimum number of lines that contain an n-gram."""
_PRIOR_COUNT = 10
"""Prior count: smooths each n-gram's speaker distribution toward the overall one."""


@dataclass(frozen=True)
class SaidBy:
    """Lines and their speakers."""

    texts: Sequence[str]
    speakers: Sequence[int]
    """The class of each line."""


@dataclass(frozen=True)
class LineStream:
    """Lines in batches of equal length: their ids (T, B), and below them a row of their speakers, the only targets."""

    lines: Sequence[Sequence[int]]
    """The ids of each line."""
    speakers: Sequence[int]
    """The class of each line."""
    batch: int
    seed: int

    @property
    def steps(self) -> int:
        """Number of batches per epoch."""
        return sum(-(-len(places) // self.batch) for places in self._by_length().values())

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch `number`, from step `start` on."""
        rng = np.random.default_rng((self.seed, number))
        windows = []
        for places in self._by_length().values():
            order = rng.permutation(places)
            windows += [order[at : at + self.batch] for at in range(0, len(order), self.batch)]
        for at in rng.permutation(len(windows))[start:]:
            ids = torch.tensor([[*self.lines[i], self.speakers[i]] for i in windows[at]]).T
            loss_mask = torch.zeros(len(ids) - 1, ids.shape[1], dtype=torch.bool)
            loss_mask[-1] = True
            yield Batch(ids, loss_mask)

    def _by_length(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place, line in enumerate(self.lines):
            found.setdefault(len(line), []).append(place)
        return found


def fit_ngrams(lines: Sequence[str], speakers: Sequence[int], most: int) -> NgramClassifier:
    """Fit scikit-learn's regularised multinomial logistic regression over the `most` most informative n-grams.

    Raises CorpusError if no n-gram is in _MIN_LINES lines.
    """
    found = [counted(line) for line in lines]
    hashes = np.fromiter((ngram for line in found for ngram in line), np.int64)
    ngrams, places = np.unique(hashes, return_inverse=True)
    often = np.bincount(places) >= _MIN_LINES
    if not often.any():
        raise CorpusError(f"no word is in {_MIN_LINES} lines: that is too little to tell people apart by")
    counts = np.fromiter((count for line in found for count in line.values()), np.float32)
    ends = np.cumsum([0, *map(len, found)])
    ngrams, features = ngrams[often], csr_matrix((counts, places, ends), (len(lines), len(ngrams)))[:, often]
    # (speakers, n-grams): how many lines of each speaker contain an n-gram, and each speaker's share of the lines that do.
    having = np.stack([features[np.asarray(speakers) == who].getnnz(0) for who in range(max(speakers) + 1)])
    share = np.bincount(speakers)[:, None] / len(speakers)
    posterior = (having + _PRIOR_COUNT * share) / (having.sum(0) + _PRIOR_COUNT)
    # The information of an n-gram about the speaker, in nats (Kullback and Leibler 1951).
    telling = (posterior * np.log(posterior / share)).sum(0).clip(min=0)
    kept = np.sort(np.argsort(-telling * having.sum(0), kind="stable")[:most])
    salience = (np.log(len(lines) / having.sum(0)) * np.sqrt(telling))[kept].astype(np.float32)
    features = features[:, kept].multiply(salience)
    norms = torch.from_numpy(np.sqrt(features.multiply(features).sum(1)).A1)
    features = features.multiply(scale(norms).numpy()[:, None]).tocsr()
    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=150, tol=1e-3).fit(features, speakers)
    weight, bias = torch.from_numpy(model.coef_).float(), torch.from_numpy(model.intercept_).float()
    if len(weight) == 1:  # scikit-learn keeps only the second of two classes
        weight, bias = torch.cat([0 * weight, weight]), torch.cat([0 * bias, bias])
    known, counting = torch.from_numpy(ngrams[kept]).int(), torch.from_numpy(salience)
    return NgramClassifier(known, counting, weight.T.contiguous(), bias)


def train_classifier(run: TrainingRun, library: Library) -> Path:
    """Train a classifier of the speakers with the most lines, on the word base; return its bundle's folder.

    Raises CorpusError if there are fewer than two such speakers, or no n-gram is frequent enough.
    """
    settings = run.config.train.classifier
    names = speakers(run.table, settings.min_lines)
    if len(names) < 2:
        raise CorpusError(f"two people with {settings.min_lines} lines each are needed to tell apart (`classifier.min_lines`)")
    base, vocabulary, card = base_model(library, "word")
    tokenizer = tokenizer_for(vocabulary)
    splits = {split: _lines_of(run.table, split, names) for split in get_args(Split)}
    train, valid = splits["train"], splits["valid"]
    counts = np.bincount(train.speakers, minlength=len(names))
    prior = torch.tensor(counts / counts.sum(), dtype=torch.float32).log()
    torch.manual_seed(settings.fit.seed)
    reader = BiLSTMSpeakerEncoder(base.embedding.weight.detach(), len(names), settings.hidden, settings.fit.dropout)
    with torch.no_grad():
        reader.bias.copy_(prior)
    stream = LineStream(encoded(tokenizer, train.texts), train.speakers, settings.fit.batch, settings.fit.seed)
    held_out = encoded(tokenizer, valid.texts)
    finished = run.train(
        "classifier", "speaker classifier", reader, reader, [stream] * settings.fit.epochs, settings.fit,
        validate=lambda: Validation(Evidence(deepcopy(reader).cpu().scores(held_out), prior, valid.speakers).bits(1, 1.0), {}),
        identity={"settings": asdict(settings), "base": card.id, "names": names, "lines": len(train.texts)},
    )  # fmt: skip
    folder = run.out / "classifier"
    if run.distributed.is_main:
        run.console.print("speaker classifier: training on n-grams", highlight=False)
        ngrams = fit_ngrams(train.texts, train.speakers, settings.ngrams)
        model = SpeakerClassifier(tokenizer, ngrams, deepcopy(reader).cpu(), 0.0)
        opinions = model.opinions(valid.texts)

        def validated(share: float) -> Evidence:
            return Evidence(mixed(*opinions, share), prior, valid.speakers)

        model = replace(model, share=_best(lambda share: validated(share).bits(1, 1.0)))
        evidence_exponent = _best(lambda one: validated(model.share).bits(_TOGETHER, one))
        test = Evidence(model.scores(splits["test"].texts), prior, splits["test"].speakers)
        scores = {f"test_right_{n}": round(test.right(n, evidence_exponent), 5) for n in (1, _TOGETHER)}
        scores |= {f"test_bits_{n}": round(test.bits(n, evidence_exponent), 5) for n in (1, _TOGETHER)}
        shows = [str(run.table.loc[run.table["speaker"] == name, "show"].mode().iloc[0]) for name in names]
        write_classifier(
            folder,
            ClassifierCard(
                tuple(names),
                tuple(shows),
                tuple(counts.tolist()),
                card.id,
                settings.hidden,
                model.share,
                evidence_exponent,
                scores,
                "",
            ),
            model.state(),
        )
        finished.close(scores, run.console)
    run.distributed.barrier()
    return folder


def _best(bits: Callable[[float], float]) -> float:
    """Return the value of _GRID with the fewest bits, or 0.5 if none can be measured."""
    found = {value: bits(value) for value in _GRID}
    return min(found, key=lambda tenth: (found[tenth] if isfinite(found[tenth]) else inf, abs(tenth - 0.5)))


def _lines_of(table: pd.DataFrame, split: Split, names: Sequence[str]) -> SaidBy:
    chosen = table[(table["split"] == split) & table["speaker"].isin(names)]
    return SaidBy(chosen["text"].tolist(), [names.index(name) for name in chosen["speaker"]])


@dataclass(frozen=True)
class Evidence:
    """Predictions for lines, and their true speakers."""

    scores: Tensor
    """(lines, classes): log-probabilities of the speaker of each line."""
    prior: Tensor
    """(classes,): log-probabilities of the speaker of any line."""
    speakers: Sequence[int]
    """The true class of each line."""

    def bits(self, together: int, evidence_exponent: float) -> float:
        """Return the mean cross-entropy, in bits, of the speaker of `together` lines; NaN if nobody has as many."""
        scores, of = self._together(together, evidence_exponent)
        return float(-scores.gather(1, of[:, None]).mean() / log(2))

    def right(self, together: int, evidence_exponent: float) -> float:
        """Return the share of groups of `together` lines whose speaker is predicted correctly; NaN if there are none."""
        scores, of = self._together(together, evidence_exponent)
        return float((scores.argmax(1) == of).float().mean()) if len(of) else float("nan")

    def _together(self, together: int, evidence_exponent: float) -> tuple[Tensor, Tensor]:
        """Return predictions for groups of `together` successive lines of one speaker.

        The first tensor (groups, classes) holds the log-probabilities of the speaker, the second (groups,) the true class.
        """
        groups, of = [], []
        evidence, said_by = self.scores - self.prior, torch.tensor(self.speakers)
        for place in range(len(self.prior)):
            for group in torch.split(evidence[said_by == place], together):
                if len(group) == together:
                    groups.append(self.prior + group.sum(0) * together ** (evidence_exponent - 1))
                    of.append(place)
        return (
            torch.stack(groups).log_softmax(1) if groups else torch.empty(0, len(self.prior)),
            torch.tensor(of, dtype=torch.int64),
        )
