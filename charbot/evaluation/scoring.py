"""The server of `charbot score`: the likelihood of given replies, JSON lines in and out."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from charbot.corpus.examples import Example, response_example
from charbot.dialogue import Utterance, prepare_turns
from charbot.errors import UsageError
from charbot.evaluation.likelihood import characters
from charbot.evaluation.mixture import chunk_nats, mixed_nats
from charbot.jsonlines import Request, read_requests
from charbot.models.language_model import LanguageModel
from charbot.personas.bundle import read_persona
from charbot.personas.library import Library
from charbot.personas.loading import persona_model
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.vocabulary import UNITS, Unit


class Scorer:
    """A persona's models of one unit or both, for scoring replies."""

    def __init__(self, library: Library, persona: str, unit: Unit | Literal["both"]) -> None:
        """Load the models. Raises BundleError if the persona, or one of its models, is missing or damaged."""
        folder = library.find(persona)
        card = read_persona(folder)
        self.name = card.name
        self._models: dict[Unit, tuple[LanguageModel, Tokenizer]] = {}
        for one in UNITS:
            if unit in (one, "both"):
                model, vocabulary = persona_model(library, folder, card.fit(one), one, card.name)
                self._models[one] = model, tokenizer_for(vocabulary)

    def nats(self, conversations: list[Example]) -> list[float]:
        """Return -ln P of each conversation's reply and its end."""
        chunks = {unit: chunk_nats(model, tokenizer, conversations) for unit, (model, tokenizer) in self._models.items()}
        if len(chunks) == len(UNITS):
            return mixed_nats(chunks)
        (only,) = chunks.values()
        return [sum(one) for one in only]


def score_lines(scorer: Scorer, arriving: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield an answer for each request, both JSON lines; requests that arrive together are scored together.

    Raises UsageError naming a malformed line, after the lines before it have been answered.
    """
    first = 1
    for lines in arriving:
        batch: list[Request] = []
        mistake: UsageError | None = None
        try:
            for request in read_requests(lines, required=("reply",), first=first):
                batch.append(request)
        except UsageError as error:
            mistake = error
        asked = [
            response_example(prepare_turns(request.context), Utterance(scorer.name, request.texts["reply"])) for request in batch
        ]
        for request, one, nats in zip(batch, asked, scorer.nats(asked), strict=True):
            yield json.dumps({"id": request.id, "nats": nats, "chars": characters(one)}, ensure_ascii=False)
        if mistake:
            raise mistake
        first += len(lines)
