"""Fits the line classifier: who says a line, of those who say many."""

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
"""Lines of one person that are taken together where it is measured how sure several make it."""
_TENTHS = tuple(tenth / 10 for tenth in range(11))
"""Of n lines, as many as n to this power tell apart as strangers' lines would; and what the LSTM's opinion may weigh."""
_LOOSENESS = 0.3
"""The inverse of how strongly the n-grams' weights are drawn to nothing: the best on validation lines of 0.15, 0.3 and 1."""
_SEEN = 3
"""Lines that an n-gram has to be in."""
_DOUBT = 10
"""Lines of everybody's that are added to those that an n-gram is in, before it is asked what it tells of who speaks."""


@dataclass(frozen=True)
class SaidBy:
    """Lines, and who says each."""

    texts: Sequence[str]
    speakers: Sequence[int]


@dataclass(frozen=True)
class LineStream:
    """Lines as windows of those of one length: their ids (T, B), and below them who says each."""

    lines: Sequence[Sequence[int]]
    speakers: Sequence[int]
    batch: int
    seed: int

    @property
    def steps(self) -> int:
        """Windows in an epoch."""
        return sum(-(-len(places) // self.batch) for places in self._by_length().values())

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The windows of one epoch from step `start` on."""
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
    """Multinomial logistic regression, regularised and solved as scikit-learn does, over the n-grams that tell most.
    Raises CorpusError where there are none."""
    found = [counted(line) for line in lines]
    hashes = np.fromiter((ngram for line in found for ngram in line), np.int64)
    ngrams, places = np.unique(hashes, return_inverse=True)
    often = np.bincount(places) >= _SEEN
    if not often.any():
        raise CorpusError(f"no word is in {_SEEN} lines: that is too little to tell people apart by")
    counts = np.fromiter((count for line in found for count in line.values()), np.float32)
    ends = np.cumsum([0, *map(len, found)])
    ngrams, features = ngrams[often], csr_matrix((counts, places, ends), (len(lines), len(ngrams)))[:, often]
    # (speakers, n-grams) how many lines of whom have it, and what share of the lines that have it is whose
    having = np.stack([features[np.asarray(speakers) == who].getnnz(0) for who in range(max(speakers) + 1)])
    share = np.bincount(speakers)[:, None] / len(speakers)
    said = (having + _DOUBT * share) / (having.sum(0) + _DOUBT)
    # What hearing it tells of who speaks, in nats (Kullback and Leibler 1951).
    telling = (said * np.log(said / share)).sum(0).clip(min=0)
    kept = np.sort(np.argsort(-telling * having.sum(0), kind="stable")[:most])
    salience = (np.log(len(lines) / having.sum(0)) * np.sqrt(telling))[kept].astype(np.float32)
    features = features[:, kept].multiply(salience)
    norms = torch.from_numpy(np.sqrt(features.multiply(features).sum(1)).A1)
    features = features.multiply(scale(norms).numpy()[:, None]).tocsr()
    model = LogisticRegression(C=_LOOSENESS, max_iter=150, tol=1e-3).fit(features, speakers)
    weight, bias = torch.from_numpy(model.coef_).float(), torch.from_numpy(model.intercept_).float()
    if len(weight) == 1:  # of two classes it keeps the second alone
        weight, bias = torch.cat([0 * weight, weight]), torch.cat([0 * bias, bias])
    known, counting = torch.from_numpy(ngrams[kept]).int(), torch.from_numpy(salience)
    return NgramClassifier(known, counting, weight.T.contiguous(), bias)


def train_classifier(run: TrainingRun, library: Library) -> Path:
    """Fits a classifier of who says most in these scripts, on the word base; returns its bundle's folder. Raises CorpusError."""
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
        "classifier", "line classifier", reader, reader, [stream] * settings.fit.epochs, settings.fit,
        validate=lambda: Validation(Evidence(deepcopy(reader).cpu().scores(held_out), prior, valid.speakers).bits(1, 1.0), {}),
        identity={"settings": asdict(settings), "base": card.id, "names": names, "lines": len(train.texts)},
    )  # fmt: skip
    folder = run.out / "classifier"
    if run.distributed.is_main:
        run.console.print("line classifier: fitting the n-grams", highlight=False)
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
    """The one of _TENTHS that takes the fewest bits; the middle one where nothing can be measured."""
    found = {tenth: bits(tenth) for tenth in _TENTHS}
    return min(found, key=lambda tenth: (found[tenth] if isfinite(found[tenth]) else inf, abs(tenth - 0.5)))


def _lines_of(table: pd.DataFrame, split: Split, names: Sequence[str]) -> SaidBy:
    chosen = table[(table["split"] == split) & table["speaker"].isin(names)]
    return SaidBy(chosen["text"].tolist(), [names.index(name) for name in chosen["speaker"]])


@dataclass(frozen=True)
class Evidence:
    """Log-probabilities of who says each of some lines (lines, classes), those of anybody saying any (classes,), and who does."""

    scores: Tensor
    prior: Tensor
    speakers: Sequence[int]

    def bits(self, together: int, evidence_exponent: float) -> float:
        """Bits that it takes to say who says so many lines; NaN where there is nothing to measure on."""
        scores, of = self._together(together, evidence_exponent)
        return float(-scores.gather(1, of[:, None]).mean() / log(2))

    def right(self, together: int, evidence_exponent: float) -> float:
        """The share of groups of so many lines whose speaker is recognised; NaN where there is none."""
        scores, of = self._together(together, evidence_exponent)
        return float((scores.argmax(1) == of).float().mean()) if len(of) else float("nan")

    def _together(self, together: int, evidence_exponent: float) -> tuple[Tensor, Tensor]:
        """(groups, classes) log-probabilities of who says so many lines one after the other, and (groups,) who does."""
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
