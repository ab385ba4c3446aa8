"""Reflection: a sentence of the user with the first and second person exchanged (Weizenbaum 1966, "ELIZA")."""

import re
from collections.abc import Sequence

from charbot.generation.sentences import bare
from charbot.text import words

_LENGTHS = range(3, 15)
"""Numbers of words of sentences that are reflected."""

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

_SUBJECT = frozenset(
    words("i i'm im i've ive i'll i'd my we we're we've our he he's she she's they they're it it's there there's the this these")
)
"""Words with which statements begin; others may be exclamations, requests or parts of sentences."""


def in_second_person(sentence: Sequence[str]) -> str | None:
    """Return a statement, given as its words, with the first and second person exchanged and a capital.

    None if it is no statement about the user or somebody else, is too short or too long, or if one cannot tell who is meant.
    """
    plain = [bare(word) for word in sentence]
    if len(sentence) not in _LENGTHS or plain[0] not in _SUBJECT or any(map(_is_second, plain)):
        return None
    text = " ".join(exchanged(sentence))
    return text[:1].upper() + text[1:]


def exchanged(spoken: Sequence[str]) -> list[str]:
    """Return words with the first and second person exchanged."""
    plain = [bare(word) for word in spoken]
    subjects = ["i" if word in ("i", "we") else "you" if _is_subject(plain, place) else "" for place, word in enumerate(plain)]
    found = []
    for place, (word, own) in enumerate(zip(spoken, plain, strict=True)):
        beside = {*subjects[max(0, place - 1) : place], *subjects[place + 1 : place + 2]}
        if own in _YOU:
            other = "I" if subjects[place] else "me"
        elif "you" in beside and own in _WITH_I:
            other = _WITH_I[own]
        elif "i" in beside and own in _WITH_YOU:
            other = _WITH_YOU[own]
        else:
            other = _EXCHANGED.get(own, "")
        found.append(re.sub(r"[\w']+", other, word, count=1) if other else word)
    return found


def _is_second(word: str) -> bool:
    return word in _YOU or _EXCHANGED.get(word, "").startswith(("I'", "my", "mine"))


def _is_subject(plain: list[str], place: int) -> bool:
    return plain[place] in _YOU and (
        place == 0 or plain[place - 1] in _BEFORE_SUBJECT or not _AFTER_SUBJECT.isdisjoint(plain[place + 1 : place + 2])
    )
