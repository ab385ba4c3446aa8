"""The server of `charbot score`: the likelihood of given replies, JSON lines in and out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from charbot.corpus.examples import Example, response_example
from charbot.dialogue import Utterance, prepare_turns
from charbot.evaluation.likelihood import characters
from charbot.evaluation.mixture import chunk_nats, mixed_nats
from charbot.jsonlines import BadRequest, Request, read_requests
from charbot.models.language_model import LanguageModel
from charbot.personas.bundle import read_persona
from charbot.personas.library import Library
from charbot.personas.loading import persona_model
from charbot.text import MAX_MESSAGE
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
                model, vocabulary = persona_model(library, folder, card.model(one), one, card.name)
                self._models[one] = model, tokenizer_for(vocabulary)

    def nats(self, conversations: list[Example]) -> list[float]:
        """Return -ln P of each conversation's reply and its end."""
        chunks = {unit: chunk_nats(model, tokenizer, conversations) for unit, (model, tokenizer) in self._models.items()}
        if len(chunks) == len(UNITS):
            return mixed_nats(chunks)
        (only,) = chunks.values()
        return [sum(one) for one in only]


def score_lines(scorer: Scorer, arriving: Iterable[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield an answer to each request, a JSON line; requests that arrive together are scored together."""
    first = 1
    for lines in arriving:
        requests = list(read_requests(lines, required=("reply",), first=first, longest=MAX_MESSAGE))
        examples = [
            response_example(prepare_turns(request.context), Utterance(scorer.name, request.texts["reply"]))
            for request in requests
            if isinstance(request, Request)
        ]
        scored = zip(examples, scorer.nats(examples), strict=True)
        for request in requests:
            if isinstance(request, BadRequest):
                yield request.answer()
            else:
                example, nats = next(scored)
                yield {"id": request.id, "nats": nats, "chars": characters(example)}
        first += len(lines)
