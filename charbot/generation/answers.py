"""Retrieval of answers from conversations that were written for a persona.

Retrieved answers join the generated candidates and win only if they rank higher (compare Weston, Dinan and Miller 2018,
"Retrieve and Refine"). An answer that repeats what its message told, as a name, is given with what the user told instead.
"""

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from charbot.dialogue import Utterance
from charbot.generation.dialogue_acts import DialogueAct, Mark, dialogue_act, marked, refers_back, restated
from charbot.generation.exchange import Exchange, filled, mentioned_words, replaced, without_name
from charbot.generation.facts import PROPER, fact_asked, facts_told
from charbot.generation.openings import FAR, Openings
from charbot.generation.options import choice
from charbot.generation.paraphrases import paraphrases, wording
from charbot.generation.recall import recall_question, told, told_before
from charbot.generation.tfidf import cosine
from charbot.generation.topics import topic
from charbot.text import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEAR_FIRST, _NEAR, _NEAR_EVIDENT = 0.42, 0.5, 0.7
"""Similarity of the last message to a known one from which its answer is better than one that fits every message of the act,
by readers' marks: of a first message, of a later one, and of one of _EVIDENT."""

_EVIDENT = {DialogueAct.CORRECTS, DialogueAct.CHOICE}
"""Acts that the wording shows for certain, and whose answers seldom fit a similar message."""

_TOPICAL = dict.fromkeys((DialogueAct.PLANS, DialogueAct.REPLIED), DialogueAct.TELLS)
"""Acts whose messages are answered by their topic like those that tell something."""

_ANSWERS = 25
"""Maximum number of answers that are retrieved."""

_RECALLED = 0.9
"""Similarity of a question for something that the user told to a known one: the kind of fact is the same."""

_CONTINUES = 0.6
"""Minimum similarity of a message to one that followed what the persona has just said."""

_MORE = ("why", "really?", "what do you mean", "tell me more")
"""Groups of paraphrases that one continuation answers: they ask for more of what was just said."""


class _Recall(NamedTuple):
    """An answer that repeats what the user told before."""

    value: str
    """What was told."""
    answer: str


@dataclass(frozen=True)
class Answers:
    """Conversations in which a persona answers every message of somebody else, searchable by message.

    A conversation whose message is an act in square brackets has an answer to all messages of this act (see
    `charbot.generation.dialogue_acts`).
    """

    conversations: tuple[tuple[Utterance, ...], ...]
    names: frozenset[str] = frozenset()
    """Names of people, in lower case: a message about somebody else is another message."""
    called: frozenset[str] = frozenset()
    """Words by which the persona is addressed, in lower case."""

    @cached_property
    def openings(self) -> Openings:
        """The messages with which the conversations begin."""
        return Openings(self._chats, self.names, self.called)

    def near(
        self, turns: Sequence[Utterance], meanings: Sequence["NDArray[Any] | None"] = (), avoid: Collection[str] = ()
    ) -> dict[str, float]:
        """Return answers to the last turn, each with the similarity of the message that it answers, from FAR to 1, best first.

        `meanings` are those of `Openings.near`. What follows in a conversation in which the persona has just said the same goes
        before all others. Then come what recalls something that the user told, and answers to similar messages; where there are
        none but texts to `avoid`, those that fit every message of the act.
        """
        if not turns:
            return {}
        message, before = restated(turns[-1].text), turns[-2].text if len(turns) > 1 else None
        turns = [*turns[:-1], Utterance(turns[-1].speaker, message)]
        act = dialogue_act(message, before, self.called)
        sources: tuple[Callable[[], Iterable[tuple[float, str]]], ...] = (
            lambda: self._continuing(turns, act),
            lambda: self._answering(turns, meanings, act),
            lambda: self._elaborating(turns, act),
            lambda: self._fitting(act, message),
            lambda: self.openings.near(turns, meanings),
        )
        for source in sources:
            near: dict[str, float] = {}
            for similarity, answer in sorted(source(), key=lambda pair: -pair[0]):
                if answer not in avoid:
                    near.setdefault(answer, similarity)
            if near:
                return dict(list(near.items())[:_ANSWERS])
        return {}

    def _continuing(self, turns: Sequence[Utterance], act: DialogueAct | None) -> Iterator[tuple[float, str]]:
        """Yield answers from conversations in which the persona has just said the same."""
        message = turns[-1].text
        vectors = [self.openings.vector(query) for query in self.openings.queries(message)]
        for exchange in self._continuations.get(turns[-2].text, ()) if len(turns) > 1 else ():
            more = self._asks_for_more(exchange.message)
            texts = [*self.openings.wordings(exchange.message), *(text for group in _more_groups() if more for text in group)]
            similarity = max(cosine(vector, known) for known in map(self.openings.vector, texts) for vector in vectors)
            if more and act is DialogueAct.CLARIFY:
                similarity = 1.0
            if similarity >= _CONTINUES:
                answer = exchange.answer_for(without_name(message)[1], mentioned_words(turns))
                yield from [(similarity, answer)] if answer else ()

    def _elaborating(self, turns: Sequence[Utterance], act: DialogueAct | None) -> Iterator[tuple[float, str]]:
        """Yield what says more of the persona's last turn, for questions about it that a yes or no does not answer."""
        asks_on = len(turns) > 1 and act in (DialogueAct.ABOUT, DialogueAct.WHY, DialogueAct.CLARIFY)
        if asks_on and refers_back(turns[-1].text, turns[-2].text):
            for exchange in self._continuations.get(turns[-2].text, ()):
                if self._asks_for_more(exchange.message) and (answer := exchange.answer_for(None, mentioned_words(turns))):
                    yield FAR, answer

    def _answering(
        self, turns: Sequence[Utterance], meanings: Sequence["NDArray[Any] | None"], act: DialogueAct | None
    ) -> Iterator[tuple[float, str]]:
        """Yield answers that recall what the user told, and those to openings that are near enough."""
        if act is not DialogueAct.CORRECTS:
            yield from self._recalling(turns)
        if act is DialogueAct.CLARIFY and self._asks_for_more(turns[-1].text):
            return
        enough = _NEAR_EVIDENT if act in _EVIDENT else _NEAR if len(turns) > 1 else _NEAR_FIRST
        yield from (pair for pair in self.openings.near(turns, meanings) if pair[0] >= enough)

    def _fitting(self, act: DialogueAct | None, message: str) -> list[tuple[float, str]]:
        """Return the answers that fit every message of an act, or every one about its topic, in an order that the message
        decides."""
        if act is None:
            return []
        about, chosen = topic(message), choice(message) or ""
        of_topic = self._acts.get(Mark(_TOPICAL.get(act, act), about), []) if about else []
        answers = [*self._acts.get(Mark(act, None), []), *of_topic]
        by_chance = sorted(answers, key=lambda answer: zlib.crc32(f"{message}{answer}".encode()))
        return [(FAR, filled(answer, chosen)) for answer in by_chance]

    def _recalling(self, turns: Sequence[Utterance]) -> Iterator[tuple[float, str]]:
        """Yield answers to the last turn if it asks for what the user told before."""
        question = recall_question(turns[-1].text)
        asked = fact_asked(question)
        said = [turn.text for turn in turns[:-1] if turn.speaker == turns[-1].speaker]
        facts = [(fact, text) for text in said for fact in facts_told(text)]
        fact, text = next(((fact, text) for fact, text in reversed(facts) if fact.kind == asked), (None, None))
        if fact and (recalls := self._recalls.get(fact.kind) or self._recalls_like(fact.kind)):
            for recall in recalls:
                yield _RECALLED, replaced(recall.answer, recall.value, fact.value, proper=fact.kind.startswith(PROPER))
        elif statement := told(text, fact.value) if fact and text else told_before(question, said):
            for answer in self._acts.get(Mark(DialogueAct.RECALL, None), ()):
                yield _RECALLED, filled(answer, statement)

    def _recalls_like(self, asked: str) -> list[_Recall]:
        """Return answers with something of the same class, as the name of a cat for that of a dog, that do not say what it is."""
        kinds = asked.partition(" ")[0] + " "
        return [
            recall
            for kind, recalls in self._recalls.items()
            if kind.startswith(kinds)
            for recall in recalls
            if kind.rpartition(" ")[2] not in words(recall.answer)
        ]

    def _asks_for_more(self, message: str) -> bool:
        """Return whether a message, or a part of it, asks for more of what was just said."""
        return any(paraphrases().get(wording(query)) in _more_groups() for query in self.openings.queries(message))

    @cached_property
    def _acts(self) -> dict[Mark, list[str]]:
        """The answers that fit every message of an act, or every one about a topic."""
        acts: dict[Mark, list[str]] = {}
        for chat in self.conversations:
            if mark := marked(chat[0].text):
                acts.setdefault(mark, []).append(chat[1].text)
        return acts

    @cached_property
    def _chats(self) -> list[tuple[Utterance, ...]]:
        """The conversations with real messages."""
        return [chat for chat in self.conversations if not marked(chat[0].text)]

    @cached_property
    def _continuations(self) -> dict[str, list[Exchange]]:
        """The later exchanges, by the persona's turn before them."""
        continuations: dict[str, list[Exchange]] = {}
        for chat in self._chats:
            for place in range(3, len(chat), 2):
                continuations.setdefault(chat[place - 2].text, []).append(
                    Exchange.of(chat, place, self.names, self.openings.rarity.counts)
                )
        return continuations

    @cached_property
    def _recalls(self) -> dict[str, list[_Recall]]:
        """The answers to questions that ask for what the message before told, by the kind of fact."""
        recalls: dict[str, list[_Recall]] = {}
        for chat in self._chats:
            if len(chat) != 4:
                continue
            told, _, question, answer = (turn.text for turn in chat)
            kind = fact_asked(question)
            for fact in facts_told(told):
                if fact.kind == kind and fact.value.casefold() in words(answer):
                    recalls.setdefault(kind, []).append(_Recall(fact.value, answer))
        return recalls


def _more_groups() -> list[tuple[str, ...]]:
    return [paraphrases()[wording(message)] for message in _MORE]
