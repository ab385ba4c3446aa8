"""Retrieval of answers from conversations that were written for a persona, by the similarity of the last message.

Retrieved answers join the generated candidates and win only if they rank higher (compare Weston, Dinan and Miller 2018,
"Retrieve and Refine"). An answer that repeats what its message told, as a name, is given with what the user told instead.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from charbot.dialogue import Utterance
from charbot.generation.facts import PROPER, fact_asked, facts_told, name_given
from charbot.generation.paraphrases import paraphrases, wording
from charbot.generation.recall import told, told_before
from charbot.generation.reflection import Frame, Kind, Reflection, reflected
from charbot.generation.spelling import respelled
from charbot.generation.tfidf import Rarity, TfidfIndex, Vector, cosine
from charbot.text import words

_NEAR = {Kind.STATEMENT: 0.5, Kind.ABOUT_PERSONA: 0.45, Kind.QUESTION: 0.55}
"""Similarity of the last message to a known one from which its answer is better than one that repeats the message, by readers'
marks. Questions about the world are often like others that want something else."""

_FAR = 0.38
"""Minimum similarity to a known message whose answer may be given."""

_ANSWERS = 5
"""Maximum number of retrieved candidates."""

_RECALLED = 0.9
"""Similarity of a question for something that the user told to a known one: the kind of fact is the same."""

_CONTINUES = 0.6
"""Minimum similarity of a message to one that followed what the persona has just said."""

_MORE = ("why", "really?", "what do you mean", "tell me more")
"""Groups of paraphrases that one continuation answers: they ask for more of what was just said."""

_MEANING = 1.5
"""Weight of the similarity in meaning, relative to that of words."""

_PARAPHRASE = 0.8
"""Weight of the words shared with a paraphrase of a known message, relative to those shared with the message itself."""

_RARE = 3
"""Maximum number of messages with a word that counts as a name."""

_FIRST = frozenset({"i", "im", "my", "me", "mine"})
_SECOND = frozenset({"you", "your", "u", "ur", "youre", "yours"})
_ASKING = frozenset(words("what whats what's who whos who's hows how's where when how which do did are is have can"))

_SHOUTED = 3
"""Maximum length of names that are kept in capitals, as initials are."""

_CAPITALISED = re.compile(r"\b[A-Z]\w+")

_NUMBER = re.compile(r"\d+")

_NAME = "somename"
"""Stands for a name in texts that are compared."""


class _Exchange(NamedTuple):
    """A message and its answer."""

    message: str
    answer: str
    borrowed: frozenset[str]
    """Names in the answer that come from messages before it."""
    frame: Frame | None
    """The answer as a frame, if it repeats the message."""
    kind: Kind | None
    """Kind of the sentence that it repeats."""
    numbers: frozenset[str]
    """Numbers in the message: the answer is wrong for others."""
    names: frozenset[str]
    """Names of others in the message, likewise."""
    person: frozenset[str]
    """Whom it asks about: see `_person`."""

    def may_answer(self, numbers: Set[str], said: Set[str], person: Set[str]) -> bool:
        """Return whether the answer may be one to a message with these numbers and words that asks about this person."""
        return self.frame is None and self.numbers <= numbers and self.names <= said and len(self.person | person) < 2


class _Recall(NamedTuple):
    """An answer that repeats what the user told before."""

    value: str
    """What was told."""
    answer: str


@dataclass(frozen=True)
class Answers:
    """Conversations in which a persona answers every message of somebody else, searchable by message."""

    conversations: tuple[tuple[Utterance, ...], ...]
    names: Collection[str] = frozenset()
    """Names of people, in lower case: a message about somebody else is another message."""

    @cached_property
    def openings(self) -> list[list[str]]:
        """The message with which each conversation begins, and its paraphrases."""
        return [_meant(exchange.message) for exchange in self._openings]

    def near(
        self, turns: Sequence[Utterance], meaning: Sequence[float] | None = None, avoid: Collection[str] = ()
    ) -> dict[str, float]:
        """Return the answers to the known messages most similar to the last turn, each with its similarity, from _FAR to 1,
        best first.

        A message is as similar as the words it shares or, where `meaning` tells how similar in meaning each of `openings` is,
        as a mean of both. An answer from later in a conversation is considered only if the persona has just said what it
        said before it there, and then it goes before all others, or if it recalls what the user told earlier. Where nothing is
        similar but texts to `avoid`, answers that repeat the message are returned.
        """
        if not turns:
            return {}
        openings = list(self._opening(turns, meaning))
        reflection = reflected(turns[-1].text)
        enough = _NEAR[reflection.kind] if reflection else _FAR
        near_openings = (pair for pair in openings if pair[0] >= enough)
        reflecting = self._reflecting(reflection, turns) if reflection else ()
        sources = [self._continuing(turns), chain(self._recalled(turns), near_openings), reflecting, openings]
        if _has_reflected(turns):
            # Twice in a row would be tiresome.
            sources[2:] = reversed(sources[2:])
        for source in sources:
            near: dict[str, float] = {}
            for similarity, answer in sorted(source, key=lambda pair: -pair[0]):
                if answer not in avoid:
                    near.setdefault(answer, similarity)
            if near:
                return dict(list(near.items())[:_ANSWERS])
        return {}

    def _opening(self, turns: Sequence[Utterance], meaning: Sequence[float] | None) -> Iterator[tuple[float, str]]:
        """Yield answers to openings like the last turn."""
        query, name = _without_name(turns[-1].text)
        similar = self._similar(self._rarity.vector(query))
        mentioned = _mentioned(turns)
        numbers, said, person = set(_NUMBER.findall(turns[-1].text)), set(words(turns[-1].text)), _person(turns[-1].text)
        for number, exchange in enumerate(self._openings):
            similarity = similar.get(number, 0.0)
            if meaning is not None:
                similarity = (similarity + _MEANING * max(0.0, meaning[number])) / (1 + _MEANING)
            if similarity >= _FAR and exchange.may_answer(numbers, said, person):
                answer = _addressed(exchange, name, mentioned)
                if answer:
                    yield similarity, answer

    def _continuing(self, turns: Sequence[Utterance]) -> Iterator[tuple[float, str]]:
        """Yield answers from conversations in which the persona has just said the same."""
        query, name = _without_name(turns[-1].text)
        vector, mentioned = self._rarity.vector(query), _mentioned(turns)
        for exchange in self._continuations.get(turns[-2].text, ()) if len(turns) > 1 else ():
            similarity = max(cosine(vector, self._rarity.vector(text)) for text in _meant(exchange.message, _MORE))
            if similarity >= _CONTINUES and (answer := _addressed(exchange, name, mentioned)):
                yield similarity, answer

    def _reflecting(self, reflection: Reflection, turns: Sequence[Utterance]) -> Iterator[tuple[float, str]]:
        """Yield answers that repeat a message, with remarks that were not made in these turns."""
        for frame in self._frames.get(reflection.kind, ()):
            if not any(frame.after and turn.text.endswith(frame.after) for turn in turns):
                yield _FAR, frame.filled(reflection.text)

    def _recalled(self, turns: Sequence[Utterance]) -> Iterator[tuple[float, str]]:
        """Yield answers to the last turn if it asks for what the user told before."""
        asked = fact_asked(turns[-1].text)
        said = [turn.text for turn in turns[:-1] if turn.speaker == turns[-1].speaker]
        facts = [(fact, text) for text in said for fact in facts_told(text)]
        fact, text = next(((fact, text) for fact, text in reversed(facts) if fact.kind == asked), (None, None))
        if fact and (recalls := self._recalls.get(fact.kind) or self._recalls_like(fact.kind)):
            for recall in recalls:
                yield _RECALLED, _replaced(recall.answer, recall.value, fact.value, proper=fact.kind.startswith(PROPER))
        elif statement := told(text, fact.value) if fact and text else told_before(turns[-1].text, said):
            for frame in self._recall_frames:
                yield _RECALLED, frame.filled(statement)

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

    @cached_property
    def _openings(self) -> list[_Exchange]:
        """The first exchange of each conversation."""
        return [self._exchange(chat, 1) for chat in self.conversations]

    @cached_property
    def _continuations(self) -> dict[str, list[_Exchange]]:
        """The later exchanges, by the persona's turn before them."""
        continuations: dict[str, list[_Exchange]] = {}
        for chat in self.conversations:
            for place in range(3, len(chat), 2):
                continuations.setdefault(chat[place - 2].text, []).append(self._exchange(chat, place))
        return continuations

    def _exchange(self, chat: tuple[Utterance, ...], place: int) -> _Exchange:
        message, answer = chat[place - 1].text, chat[place].text
        reflection = reflected(message)
        return _Exchange(
            message, answer, self._borrowed(answer, [turn.text for turn in chat[:place:2]]),
            Frame.of(answer, reflection.text) if reflection else None, reflection.kind if reflection else None,
            frozenset(_NUMBER.findall(message)), self._others(message), _person(message),
        )  # fmt: skip

    def _others(self, message: str) -> frozenset[str]:
        """Return the names in a question; what is told of somebody may be told of anybody."""
        return frozenset(words(message)).intersection(self.names) if _asks(message) else frozenset()

    def _similar(self, query: Vector) -> Mapping[int, float]:
        """Return the similarity of the openings, by their numbers, or of what means the same as these."""
        index, owners = self._index
        similar: dict[int, float] = {}
        for number, similarity in index.search(query).items():
            owner, weight = owners[number]
            similar[owner] = max(weight * similarity, similar.get(owner, 0.0))
        return similar

    @cached_property
    def _index(self) -> tuple[TfidfIndex, list[tuple[int, float]]]:
        """An index of the openings and of their paraphrases, and the number of the opening of each with its weight."""
        texts, owners = [], []
        for number, (exchange, wordings) in enumerate(zip(self._openings, self.openings, strict=True)):
            own = _without_name(exchange.message)[0]
            for text in wordings:
                texts.append(text)
                owners.append((number, 1.0 if text == own else _PARAPHRASE))
        return TfidfIndex(self._rarity, texts), owners

    @cached_property
    def _frames(self) -> dict[Kind, list[Frame]]:
        """The answers that repeat their message, by its kind."""
        frames: dict[Kind, list[Frame]] = {}
        for exchange in self._openings:
            if exchange.frame and exchange.kind:
                frames.setdefault(exchange.kind, []).append(exchange.frame)
        return frames

    @cached_property
    def _recall_frames(self) -> list[Frame]:
        """The answers that repeat what the message before told."""
        found = [(chat[3].text, told_before(chat[2].text, [chat[0].text])) for chat in self.conversations if len(chat) == 4]
        return [frame for answer, sentence in found if sentence and (frame := Frame.of(answer, sentence))]

    @cached_property
    def _rarity(self) -> Rarity:
        return Rarity.of([turn.text for chat in self.conversations for turn in chat[::2]])

    @cached_property
    def _recalls(self) -> dict[str, list[_Recall]]:
        """The answers to questions that ask for what the message before told, by the kind of fact."""
        recalls: dict[str, list[_Recall]] = {}
        for chat in self.conversations:
            if len(chat) != 4:
                continue
            told, _, question, answer = (turn.text for turn in chat)
            kind = fact_asked(question)
            for fact in facts_told(told):
                if fact.kind == kind and fact.value.casefold() in words(answer):
                    recalls.setdefault(kind, []).append(_Recall(fact.value, answer))
        return recalls

    def _borrowed(self, answer: str, messages: Sequence[str]) -> frozenset[str]:
        """Return the rare words with a capital in an answer that the messages before it have: they are somebody's names."""
        mentioned = {word for message in messages for word in words(message)}
        capitals = {match.casefold() for match in _CAPITALISED.findall(answer)}
        return frozenset(word for word in capitals & mentioned if self._rarity.counts.get(word, 0) <= _RARE)


def _addressed(exchange: _Exchange, name: str | None, mentioned: set[str]) -> str | None:
    """Return an exchange's answer, with the user's `name` for the one that its message gives; None if it has a name that nobody
    mentioned."""
    missing = exchange.borrowed - mentioned
    if not missing:
        return exchange.answer
    known = _without_name(exchange.message)[1]
    if name is None or known is None or missing != {known.casefold()}:
        return None
    return _replaced(exchange.answer, known, name)


def _meant(message: str, groups: Sequence[str] = ()) -> list[str]:
    """Return the wordings of a message: its own and those of its paraphrases; of all `groups` if it is in one of them."""
    known = paraphrases()
    same = known.get(wording(message), ())
    among = [known[wording(group)] for group in groups]
    # In a fixed order, on which sums of their encodings depend.
    return list(dict.fromkeys([_without_name(message)[0], *same, *(text for group in among if same in among for text in group)]))


def _person(message: str) -> frozenset[str]:
    """Return {"i"} or {"you"} for a question about the user or about the persona alone, and nothing for other messages."""
    spoken = [word.partition("'")[0] for word in words(message)]
    first, second = not _FIRST.isdisjoint(spoken), not _SECOND.isdisjoint(spoken)
    return frozenset({"i" if first else "you"}) if _asks(message) and first != second else frozenset()


def _asks(message: str) -> bool:
    return message.rstrip().endswith("?") or not _ASKING.isdisjoint(words(message)[:1])


def _has_reflected(turns: Sequence[Utterance]) -> bool:
    """Return whether the last answer repeats the message before it."""
    before = reflected(turns[-3].text) if len(turns) > 2 else None
    return before is not None and before.text.casefold() in turns[-2].text.casefold()


def _mentioned(turns: Sequence[Utterance]) -> set[str]:
    return {word for turn in turns for word in words(respelled(turn.text))}


def _without_name(text: str) -> tuple[str, str | None]:
    """Return a text with _NAME for the name that it gives, and the name; or the text and None."""
    name = name_given(text)
    return (_replaced(text, name, _NAME), name) if name else (text, None)


def _replaced(text: str, word: str, replacement: str, *, proper: bool = True) -> str:
    """Return a text with another word for one, with a capital where that has one: at the start of sentences alone if the word
    is not a `proper` noun."""

    if len(replacement) > _SHOUTED and replacement.isupper():
        replacement = replacement.capitalize()

    def spelled(match: re.Match[str]) -> str:
        begins = not match.string[: match.start()].strip() or match.string[: match.start()].rstrip().endswith((".", "!", "?"))
        capital = match[0][0].isupper() and (proper or begins)
        if not capital:
            return replacement
        first, *rest = replacement.split(" ")
        return " ".join([first[:1].upper() + first[1:], *(word[:1].upper() + word[1:] if proper else word for word in rest)])

    return re.sub(rf"(?i)\b{re.escape(word)}\b", spelled, text)
