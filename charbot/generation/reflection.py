"""Reflection: a sentence of the user with the first and second person exchanged (Weizenbaum 1966, "ELIZA")."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import dropwhile

from charbot.text import words

_LENGTHS = range(3, 15)
"""Numbers of words of sentences that are reflected."""

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")

_EXCHANGED = {
    "i": "you", "i'm": "you're", "im": "you're", "i've": "you've", "ive": "you've", "i'll": "you'll", "i'd": "you'd",
    "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are",
    "we": "you", "we're": "you're", "we've": "you've", "us": "you", "our": "your", "ours": "yours",
    "you're": "I'm", "youre": "I'm", "you've": "I've", "you'll": "I'll", "you'd": "I'd", "u": "you", "ur": "my",
    "your": "my", "yours": "mine", "yourself": "myself",
}  # fmt: skip

_YOU = frozenset({"you", "u"})

_BEFORE_SUBJECT = frozenset(
    words(
        "are were do did have had would can could will should don't dont didn't haven't won't can't couldn't wouldn't aren't if"
        " when that what who why how where because and but so think"
    )
)
"""Words after which "you" is a subject; it is an object elsewhere, but at the beginning."""

_AFTER_SUBJECT = frozenset(words("ever never always really often have are were can would should could did do think know said"))
"""Words before which "you" is a subject."""

_WITH_I = {"are": "am", "were": "was", "aren't": "am not", "weren't": "wasn't"}
_WITH_YOU = {"was": "were", "wasn't": "weren't"}

_PLURAL = frozenset(words("we we're we've us our ours"))
"""Words that may include whom they are said to: in a question one cannot tell."""

_SUBJECT = frozenset(
    words("i i'm im i've ive i'll i'd my we we're we've our he he's she she's they they're it it's there there's the this these")
)
"""Words with which statements begin; others may be exclamations, requests or parts of sentences."""

_QUESTION = frozenset(
    words(
        "what what's whats who who's whos where where's when when's why how how's which whose do does did are is was were have"
        " has can could would will should didn't aren't isn't won't haven't ever"
    )
)


class Kind(Enum):
    """Kind of a sentence that can be reflected."""

    STATEMENT = "statement"
    ABOUT_PERSONA = "question about the persona"
    QUESTION = "another question"


@dataclass(frozen=True)
class Frame:
    """An answer that repeats a sentence of the user, with a gap for any other."""

    before: str
    after: str

    @classmethod
    def of(cls, answer: str, sentence: str) -> "Frame | None":
        """Return the frame of an answer that contains a reflected sentence; None if it does not."""
        start = answer.casefold().find(sentence.casefold())
        return None if start < 0 else cls(answer[:start], answer[start + len(sentence) :])

    def filled(self, sentence: str) -> str:
        """Return the frame with a reflected sentence in its gap."""
        inside = self.before.rstrip()[-1:].isalpha() or self.before.rstrip().endswith(",")
        keeps = not inside or sentence.startswith(("I ", "I'"))
        return f"{self.before}{sentence if keeps else sentence[:1].lower() + sentence[1:]}{self.after}"


@dataclass(frozen=True)
class Reflection:
    """A sentence of the user with the persons exchanged, capitalised, without its final punctuation."""

    kind: Kind
    text: str


_FILLERS = frozenset(
    words("and so but well ok okay yeah yes no oh hi hey hello hmm lol haha anyway honestly actually also then now please btw")
)
"""Words before a sentence that do not belong to it."""


def reflected(message: str) -> Reflection | None:
    """Return the reflection of the last question of a message, or else of its first statement.

    None if it has no such sentence of a fit length, or if one cannot tell who is meant.
    """
    found = [reflection for sentence in sentences(message) if (reflection := reflection_of(sentence))]
    questions = [reflection for reflection in found if reflection.kind is not Kind.STATEMENT]
    return next(iter(questions[-1:] or found), None)


def sentences(message: str) -> list[list[str]]:
    """Return the words of each sentence of a message, without its final punctuation and the fillers before it."""
    return [without_fillers(sentence) for sentence in _SENTENCE.findall(message.lower() if message.isupper() else message)]


def reflection_of(sentence: Sequence[str]) -> Reflection | None:
    """Return the reflection of a sentence, given as `sentences` does; None if there is none."""
    plain = [_plain(word) for word in sentence]
    if len(sentence) not in _LENGTHS:
        return None
    asks = plain[0] in _QUESTION
    if not (_PLURAL.isdisjoint(plain) if asks else _is_statement(plain)):
        return None
    text = " ".join(_exchanged(sentence, plain))
    kind = Kind.STATEMENT if not asks else Kind.ABOUT_PERSONA if _about_persona(plain) else Kind.QUESTION
    return Reflection(kind, text[:1].upper() + text[1:])


def without_fillers(sentence: str) -> list[str]:
    """Return the words of a sentence, without its final punctuation and the fillers before it."""
    spoken = sentence.rstrip(".!?, ").split()
    return list(dropwhile(lambda word: _plain(word) in _FILLERS, spoken))


def _is_statement(plain: list[str]) -> bool:
    """Return whether words are a statement about the user or somebody else, but not about the persona."""
    return plain[0] in _SUBJECT and not _about_persona(plain)


def _about_persona(plain: list[str]) -> bool:
    return any(word in _YOU or _EXCHANGED.get(word, "").startswith(("I'", "my", "mine")) for word in plain)


def _exchanged(spoken: Sequence[str], plain: list[str]) -> list[str]:
    """Return words, given also without punctuation and capitals, in the other person."""
    subjects = ["i" if word in ("i", "we") else "you" if _is_subject(plain, place) else "" for place, word in enumerate(plain)]
    found = []
    for place, (word, bare) in enumerate(zip(spoken, plain, strict=True)):
        beside = {*subjects[max(0, place - 1) : place], *subjects[place + 1 : place + 2]}
        if bare in _YOU:
            other = "I" if subjects[place] else "me"
        elif "you" in beside and bare in _WITH_I:
            other = _WITH_I[bare]
        elif "i" in beside and bare in _WITH_YOU:
            other = _WITH_YOU[bare]
        else:
            other = _EXCHANGED.get(bare, "")
        found.append(re.sub(r"[\w']+", other, word, count=1) if other else word)
    return found


def _is_subject(plain: list[str], place: int) -> bool:
    return plain[place] in _YOU and (
        place == 0 or plain[place - 1] in _BEFORE_SUBJECT or not _AFTER_SUBJECT.isdisjoint(plain[place + 1 : place + 2])
    )


def _plain(word: str) -> str:
    return word.strip('"(),;:-.!?').casefold()
