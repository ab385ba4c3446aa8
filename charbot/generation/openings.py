"""The messages with which written conversations begin, searchable by their likeness to what a user says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

from charbot.dialogue import Utterance
from charbot.generation.dialogue_acts import is_reaction, restated
from charbot.generation.exchange import Exchange, Heard, mentioned_words, without_name
from charbot.generation.paraphrases import paraphrases, wording
from charbot.generation.sentences import asks, core, parts
from charbot.generation.tfidf import Rarity, TfidfIndex, Vector
from charbot.text import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR = 0.38
"""Minimum similarity to a known message whose answer may be given."""

_WHOLE, _ELLIPTIC, _CLAUSE = 0.95, 0.85, 0.8
"""Weights of the similarity of a message with a question in it, of a question with a pronoun beside other sentences, and of a
clause, relative to that of the sentence that the message is about."""

_TOLD = 0.85
"""Weight of the similarity of a question to what is no question."""

_PRONOUNS = frozenset(words("it that this one ones those these them they he she him her there then"))

_QUERIES = 6
"""Maximum number of parts of a message that are searched for."""

_LEAVES = re.compile(
    r"\b(?:(?:gotta|got to|have to|need to|must|better|gonna) (?:go|run|leave|head out|get going|sleep|get back)"
    r"|good ?night|bye|see (?:you|ya)(?: (?:later|soon|tomorrow))?|talk (?:to you )?(?:later|soon)|ttyl|take care"
    r"|later,? (?:dude|man|bro|guys)|(?:off|going|heading) to (?:bed|sleep)|heading (?:out|off|home))\b(?! to the)",
    re.IGNORECASE,
)
"""Tells that somebody leaves."""

_BYE = "bye"

_CLAUSES = re.compile(r"[,;:] +")

_MEANING = 1.5
"""Weight of the similarity in meaning, relative to that of words."""

_PARAPHRASE = 0.8
"""Weight of the words shared with a paraphrase of a known message, relative to those shared with the message itself."""


@dataclass(frozen=True)
class Openings:
    """The openings of conversations in which a persona answers every message of somebody else."""

    conversations: Sequence[Sequence[Utterance]]
    names: frozenset[str]
    """Names of people, in lower case: a message about somebody else is another message."""
    called: frozenset[str]
    """Words by which the persona is addressed, in lower case."""

    @cached_property
    def messages(self) -> list[str]:
        """The message with which each conversation begins, without greeting and address."""
        return [core(exchange.message, self.called) for exchange in self._exchanges]

    @cached_property
    def groups(self) -> list[list[str]]:
        """Each of `messages`, with its paraphrases."""
        return [self.wordings(exchange.message) for exchange in self._exchanges]

    @cached_property
    def rarity(self) -> Rarity:
        """How rare words are in what users say."""
        return Rarity.of([turn.text for chat in self.conversations for turn in chat[::2]])

    def queries(self, message: str) -> dict[str, float]:
        """Return what similar messages are searched for by: a message and its sentences and clauses, each with its weight."""
        message = restated(message)
        said = parts(message, self.called)
        if not said:
            return {message: 1.0}
        point, *others = said
        weights = {core(message, self.called): _WHOLE if others and asks(point) else 1.0}
        # What a pronoun stands for is said elsewhere.
        weights.setdefault(point, _ELLIPTIC if others and not _PRONOUNS.isdisjoint(words(point)) else 1.0)
        if not asks(point):
            clauses = [core(clause, self.called) for clause in _CLAUSES.split(point) if not is_reaction(clause)]
            weights |= {clause: _CLAUSE for clause in clauses if clause not in weights and len(words(clause)) > 1}
        last = re.split(r"[.!?]\s+", message)[-1]
        if _LEAVES.search(last) and not asks(last):
            weights = {_BYE: 1.0, **weights}
        return dict(list(weights.items())[:_QUERIES])

    def vector(self, message: str) -> Vector:
        """Return the words of a message by their rarity; names that it gives are the same."""
        return self.rarity.vector(without_name(message)[0])

    def wordings(self, message: str) -> list[str]:
        """Return a message, without greeting and address, and its paraphrases."""
        own = core(message, self.called)
        same = paraphrases().get(wording(message)) or paraphrases().get(wording(own), ())
        # In a fixed order, on which sums of their encodings depend.
        return list(dict.fromkeys([without_name(own)[0], *same]))

    def near(self, turns: Sequence[Utterance], meanings: Sequence["NDArray[Any] | None"]) -> Iterator[tuple[float, str]]:
        """Yield the answers to openings like the last turn, each with its similarity, from FAR to 1.

        A message is as similar as the words it shares with a known one or, where `meanings` tell how similar in meaning each of
        `groups` is to each of `queries`, as a mean of both.
        """
        message = turns[-1].text
        name = without_name(message)[1]
        mentioned = mentioned_words(turns)
        best: dict[int, float] = {}
        for (query, weight), meaning in zip(self.queries(message).items(), meanings or repeat(None), strict=False):
            heard = Heard.of(message, query)
            similar = self._similar(query, meaning) * weight
            for number in (similar >= FAR).nonzero()[0].tolist():
                similarity = float(similar[number])
                if similarity > best.get(number, 0.0) and self._exchanges[number].may_answer(heard):
                    best[number] = similarity
        for number, similarity in best.items():
            if answer := self._exchanges[number].answer_for(name, mentioned):
                yield similarity, answer

    def _similar(self, query: str, meaning: "NDArray[Any] | None") -> "NDArray[Any]":
        """Return the similarity of each opening, or of what means the same, to a part of a message."""
        import numpy as np

        similar = np.zeros(len(self._exchanges))
        owners, weights = self._owners
        np.maximum.at(similar, owners, weights * self._index.search(self.vector(query)))
        if meaning is not None:
            similar = (similar + _MEANING * meaning.clip(0)) / (1 + _MEANING)
        if asks(query):
            similar[~self._asking] *= _TOLD
        return similar

    @cached_property
    def _exchanges(self) -> list[Exchange]:
        return [Exchange.of(chat, 1, self.names, self.rarity.counts) for chat in self.conversations]

    @cached_property
    def _asking(self) -> "NDArray[Any]":
        """Whether each opening is a question."""
        import numpy as np

        return np.array([asks(message) for message in self.messages], np.bool_)

    @cached_property
    def _index(self) -> TfidfIndex:
        return TfidfIndex(self.rarity, [text for wordings in self.groups for text in wordings])

    @cached_property
    def _owners(self) -> tuple["NDArray[Any]", "NDArray[Any]"]:
        """The opening that each text of the index stands for, and its weight."""
        import numpy as np

        owners = np.array([number for number, wordings in enumerate(self.groups) for _ in wordings], np.intp)
        return owners, np.array([_PARAPHRASE if place else 1.0 for wordings in self.groups for place in range(len(wordings))])
