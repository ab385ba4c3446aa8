"""Fits the line classifier: who says a line, of those who say many."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from charbot.corpus.split import Split
from charbot.corpus.table import speakers
from charbot.errors import CorpusError
from charbot.models.line_classifier import LineClassifier
from charbot.models.loading import base_model
from charbot.personas.bundle import ClassifierCard, write_classifier
from charbot.personas.library import Library
from charbot.tokens import Tokenizer, tokenizer_for
from trainer.loop import Examination
from trainer.stream import Window
from trainer.workshop import HELD_OUT, Workshop

_TOGETHER = 10
"""Lines of one person that are taken together where it is measured how sure several make it."""
_LONGEST = 80
"""Tokens of a line that are read."""
_SURENESS = tuple(tenth / 10 for tenth in range(1, 11))
"""Of n lines, as many as n to this power tell apart as strangers' lines would."""


@dataclass(frozen=True)
class SaidBy:
    """Lines (ids), and who says each."""

    lines: Sequence[Sequence[int]]
    speakers: Sequence[int]


@dataclass(frozen=True)
class LineStream:
    """Lines as windows of those of one length: their ids (T, B), and below them who says each."""

    said: SaidBy
    batch: int
    seed: int

    @property
    def steps(self) -> int:
        """Windows in an epoch."""
        return sum(-(-len(places) // self.batch) for places in self._by_length().values())

    def epoch(self, number: int, start: int = 0) -> Iterator[Window]:
        """The windows of one epoch from step `start` on."""
        rng = np.random.default_rng((self.seed, number))
        windows = []
        for places in self._by_length().values():
            order = rng.permutation(places)
            windows += [order[at : at + self.batch] for at in range(0, len(order), self.batch)]
        for at in rng.permutation(len(windows))[start:]:
            ids = torch.tensor([[*self.said.lines[i], self.said.speakers[i]] for i in windows[at]]).T
            counted = torch.zeros(len(ids) - 1, ids.shape[1], dtype=torch.bool)
            counted[-1] = True
            yield Window(ids, counted)

    def _by_length(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place, line in enumerate(self.said.lines):
            found.setdefault(len(line), []).append(place)
        return found


def encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Lines as a classifier reads them."""
    return [tokenizer.encode(text)[:_LONGEST] for text in texts]


def rarity(model: LineClassifier, lines: Sequence[Sequence[int]]) -> Tensor:
    """How rare what falls into each bucket is among lines: ln of one in how many has it; nothing where one has at most."""
    counts = torch.zeros(len(model.rarity))
    for line in lines:
        counts[torch.unique(model.buckets(torch.tensor(line)[:, None]))] += 1
    return torch.where(counts > 1, (len(lines) / counts.clamp(min=1)).log(), 0.0)


def fit_classifier(shop: Workshop, library: Library) -> Path:
    """Fits a classifier of who says most in these scripts, on the word base; returns its bundle's folder. Raises CorpusError."""
    settings = shop.config.train.classifier
    names = speakers(shop.table, settings.min_lines)
    if len(names) < 2:
        raise CorpusError(f"two people with {settings.min_lines} lines each are needed to tell apart (`classifier.min_lines`)")
    base, vocabulary, card = base_model(library, "word")
    tokenizer = tokenizer_for(vocabulary)
    splits = {split: _lines_of(shop.table, split, names, tokenizer) for split in get_args(Split)}
    train = splits["train"]
    torch.manual_seed(settings.fit.seed)
    embedding = base.embedding.weight.detach()
    model = LineClassifier(embedding, len(names), settings.hidden, settings.buckets, settings.fit.dropout)
    model.rarity.copy_(rarity(model, train.lines))
    with torch.no_grad():
        model.bias.copy_(torch.bincount(torch.tensor(train.speakers)).log())
    stream = LineStream(train, settings.fit.batch, settings.fit.seed)
    finished = shop.fit(
        "classifier", "line classifier", model, model, [stream] * settings.fit.epochs, settings.fit,
        examine=lambda: Examination(_bits(_evidence(model, splits["valid"]), 1, 1.0), {}),
        identity={"settings": asdict(settings), "base": card.id, "names": names, "lines": len(train.lines)},
    )  # fmt: skip
    folder = shop.out / "classifier"
    if shop.world.leads:
        fitted = deepcopy(model).cpu()
        valid, test = (_evidence(fitted, splits[split]) for split in HELD_OUT)
        sureness = min(_SURENESS, key=lambda one: _bits(valid, _TOGETHER, one))
        scores = {
            f"test_{kind}_{together}": round(measure(test, together, sureness), 5)
            for kind, measure in (("right", _right), ("bits", _bits))
            for together in (1, _TOGETHER)
        }
        shows = [str(shop.table.loc[shop.table["speaker"] == name, "show"].mode().iloc[0]) for name in names]
        write_classifier(
            folder,
            ClassifierCard(tuple(names), tuple(shows), card.id, settings.hidden, settings.buckets, sureness, scores, ""),
            fitted.state_dict(),
        )
        finished.close(scores, shop.console)
    shop.world.wait()
    return folder


def _lines_of(table: pd.DataFrame, split: Split, names: Sequence[str], tokenizer: Tokenizer) -> SaidBy:
    chosen = table[(table["split"] == split) & table["speaker"].isin(names)]
    return SaidBy(encoded(tokenizer, chosen["text"].tolist()), [names.index(name) for name in chosen["speaker"]])


@dataclass(frozen=True)
class _Evidence:
    """What each line says for each class beside the prior (lines, classes), the prior, and who says each line."""

    lines: Tensor
    prior: Tensor
    speakers: Tensor


@torch.inference_mode()
def _evidence(model: LineClassifier, said: SaidBy) -> _Evidence:
    prior = model.bias.log_softmax(0)
    return _Evidence(model.scores(said.lines) - prior, prior, torch.tensor(said.speakers))


def _together(evidence: _Evidence, together: int, sureness: float) -> tuple[Tensor, Tensor]:
    """(groups, classes) log-probabilities of who says so many lines of a person, one after the other, and (groups,) who does."""
    prior = evidence.prior
    groups, of = [], []
    for place in range(len(prior)):
        for group in torch.split(evidence.lines[evidence.speakers == place], together):
            if len(group) == together:
                groups.append(prior + group.sum(0) * together ** (sureness - 1))
                of.append(place)
    return torch.stack(groups).log_softmax(1) if groups else torch.empty(0, len(prior)), torch.tensor(of, dtype=torch.int64)


def _bits(evidence: _Evidence, together: int, sureness: float) -> float:
    """Bits that it takes to say who speaks; NaN where there is nothing to measure on."""
    scores, of = _together(evidence, together, sureness)
    return float(-scores.gather(1, of[:, None]).mean() / log(2))


def _right(evidence: _Evidence, together: int, sureness: float) -> float:
    """The share that is recognised; NaN where there is nothing to measure on."""
    scores, of = _together(evidence, together, sureness)
    return float((scores.argmax(1) == of).float().mean()) if len(of) else float("nan")
