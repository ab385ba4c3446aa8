"""`charbot score`: the likelihood of given replies, JSON lines in and out."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from charbot.corpus.conversation import Conversation, Utterance, exchange, heard
from charbot.evaluation.likelihood import characters
from charbot.evaluation.mixture import chunk_nats, mixed_nats
from charbot.jsonlines import read_requests
from charbot.models.language_model import LanguageModel
from charbot.models.loading import persona_model
from charbot.personas.bundle import read_persona
from charbot.personas.library import Library
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.vocabulary import UNITS, Unit

_AT_ONCE = 256
"""Lines that are read before they are scored together."""


class Scorer:
    """A persona's models of one unit or both, ready to score replies."""

    def __init__(self, library: Library, persona: str, unit: Unit | Literal["both"]) -> None:
        """Raises BundleError where the persona, or its model of a unit, is missing or damaged."""
        folder = library.find(persona)
        card = read_persona(folder)
        self.name = card.name
        self._models: dict[Unit, tuple[LanguageModel, Tokenizer]] = {}
        for one in UNITS:
            if unit in (one, "both"):
                model, vocabulary = persona_model(library, folder, card.fit(one), one, card.name)
                self._models[one] = model, tokenizer_for(vocabulary)

    def nats(self, conversations: list[Conversation]) -> list[float]:
        """-ln P of each conversation's reply and its end."""
        chunks = {unit: chunk_nats(model, tokenizer, conversations) for unit, (model, tokenizer) in self._models.items()}
        if len(chunks) == len(UNITS):
            return mixed_nats(chunks)
        (only,) = chunks.values()
        return [sum(one) for one in only]


def score_lines(scorer: Scorer, lines: Iterable[str]) -> Iterator[str]:
    """One JSON line out for each line in, in order. Raises UsageError naming a line that cannot be read."""
    requests = read_requests(lines, required=("reply",))
    while batch := list(islice(requests, _AT_ONCE)):
        asked = [exchange(heard(request.context), Utterance(scorer.name, request.texts["reply"])) for request in batch]
        for request, one, nats in zip(batch, asked, scorer.nats(asked), strict=True):
            yield json.dumps({"id": request.id, "nats": nats, "chars": characters(one)}, ensure_ascii=False)
