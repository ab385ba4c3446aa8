"""Speaker identification for `charbot who` and the bots: who of a cast would have said some lines."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from charbot.errors import BundleError, UsageError
from charbot.jsonlines import BadRequest, read_requests
from charbot.personas.bundle import read_classifier
from charbot.personas.library import Library, slug
from charbot.personas.loading import base_model
from charbot.speakers.classifier import SpeakerClassifier
from charbot.text import prepare_message
from charbot.tokens import tokenizer_for

Ranking = list[tuple[str, float]]
"""Names and their probabilities, which sum to one, the likeliest first."""


class SpeakerIdentifier:
    """A trained speaker classifier, restricted to a cast."""

    def __init__(self, library: Library, cast: Sequence[str] = ()) -> None:
        """Load the classifier of a library.

        `cast` names characters or shows; empty means all that the classifier knows. Raises BundleError and UsageError.
        """
        card, weights = read_classifier(library.classifier)
        base, vocabulary, _ = base_model(library, "word", card.base)
        try:
            self._model = SpeakerClassifier.load(
                tokenizer_for(vocabulary), base.embedding.weight.detach(), card.hidden, card.share, weights
            )
        except (KeyError, RuntimeError) as error:
            raise BundleError(f"{library.classifier}: its weights do not fit its card; install or train it again") from error
        self._sureness = card.evidence_exponent
        self._places = _chosen(card.names, card.shows, cast)
        self._names = [card.names[place] for place in self._places]
        self._prior = torch.tensor(card.lines)[self._places].log().log_softmax(0)

    def rank(self, lines: Sequence[str]) -> Ranking:
        """Rank the speakers who may have said all of these lines. Raises UsageError if there is no text in them."""
        said = [text for line in lines if (text := prepare_message(line))]
        if not said:
            raise UsageError("the text is empty: there is nothing to tell its speaker by")
        scores = self._model.scores(said)[:, self._places].log_softmax(1)
        # Lines of one speaker are correlated: n of them count as n ** _sureness independent ones.
        evidence = (scores - self._prior).sum(0) * len(said) ** (self._sureness - 1)
        found = (self._prior + evidence).softmax(0).tolist()
        return sorted(zip(self._names, found, strict=True), key=lambda pair: -pair[1])


def _chosen(names: Sequence[str], shows: Sequence[str], cast: Sequence[str]) -> list[int]:
    places: list[int] = []
    for wanted in cast or shows:
        found = [i for i, pair in enumerate(zip(names, shows, strict=True)) if slug(wanted) in map(slug, pair)]
        if not found:
            raise UsageError(
                f"nobody and no show called {wanted!r} is known here; known are {', '.join((*names, *sorted(set(shows))))}"
            )
        places += [place for place in found if place not in places]
    if len(places) < 2:
        raise UsageError("two people at the least are needed to tell apart")
    return places


def rank_lines(identifier: SpeakerIdentifier, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield an answer, with `ranking`, per JSON line with `text` or `lines`."""
    for request in read_requests(lines, optional=("text",), one_of=("text", "lines")):
        if isinstance(request, BadRequest):
            yield request.answer()
            continue
        ranking = identifier.rank([*request.texts.values(), *request.lines])
        yield {"id": request.id, "ranking": [[name, round(p, 4)] for name, p in ranking]}
