"""Recall of what a user said before, for questions that ask for it: the sentence that fits best, in the second person."""

import re
from collections.abc import Iterable, Iterator, Sequence

from charbot.generation.facts import fact_asked
from charbot.generation.reflection import in_second_person
from charbot.generation.sentences import asks, parts, sentences, without_fillers
from charbot.generation.spelling import respelled
from charbot.text import words

_LONGEST = 14
"""Maximum number of words of a sentence that is quoted because it cannot be said in the second person."""

_CLAUSES = re.compile(r",? (?:and|but|so|because) |, ")

_QUOTE = '"'

_REMINDS = re.compile(
    r"\b(?:remember|remind|recall|still know|did i (?:just )?(?:say|tell|mention)|i (?:said|told|mentioned)|i (?:just )?tell you"
    r"|testing you)\b",
    re.IGNORECASE,
)
"""Says that something was told before."""

_ASKS = re.compile(
    r"(?:what|what's|whats|which|who|who's|whos|whose|where|where's|when|when's)\b|how (?:many|much|old|long|far|big)\b"
)
"""How questions begin that a sentence can answer."""

_OTHERWISE = re.compile(
    r"\b(?:should|shall|could|would|can|will|might|do i do|do i say|do i get|do i look|what if|what about"
    r"|what's (?:up|wrong|the matter))\b"
)
"""Makes such a question one for advice, or for something else than what was told."""

_EMPTY = frozenset(
    words(
        "i you your yours my mine me we us our he she it they them his her its their the a an this that these those and or but"
        " so if of to in on at for from with by about as am is are was were be been do did doe have had has will would can could"
        " should not no what which who whom whose where when why how many much again remember remind recall tell told say said"
        " mention know name call there here just now then ok well please go get got really very what's who's where's when's"
    )
)
"""Words that carry too little meaning to find a sentence by."""

_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)$")

_SYNONYMS = [
    "work job profession occupation liv", "birthday turn born age old", "mom mother mum", "dad father",
    "kid son daughter boy girl", "movi film watch", "scar afraid terrifi phobia fear stand",
    "exam class study subject test midterm quiz", "fail flunk", "team support fan root", "operation surgery",
    "wedding marri marry engag fianc", "flavour flavor tast", "cig smok", "lov favourit favorit",
    "city town countri stat grew mov",
]  # fmt: skip
_MEANING = {word: group.split()[0] for group in _SYNONYMS for word in group.split()}

_ANSWERS = [
    (re.compile(r"\bhow (?:many|much|old|long)\b"), re.compile(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred|thousand)\b")),
    (re.compile(r"\bwhen\b|\b(?:what|which) (?:day|time|month|date)\b"), re.compile(
        r"\b(?:\w+day|\w+days|tomorrow|tonight|weekend|week|month|year|january|february|march|april|june|july|august|september"
        r"|october|november|december|spring|summer|autumn|winter|at \w+)\b")),
    (re.compile(r"\b(?:name|called|nickname)\b"), re.compile(
        r"\b(?:named|called|calls?|name's|name is)\b|(?<=\w )[A-Z][a-z]+")),
    (re.compile(r"\bwho\b"), re.compile(r"(?<=\w )[A-Z][a-z]+")),
]  # fmt: skip
"""Kinds of questions, and what sentences that answer them have."""


def recall_question(message: str) -> str:
    """Return what of a message may ask for something that was told before."""
    said = parts(message)
    reminds = any(asks(part) and _REMINDS.search(part) for part in said)
    # As in "which team is mine, do you remember?".
    return message if reminds or not said else said[0]


def told_before(question: str, told: Sequence[str]) -> str | None:
    """Return the sentence of earlier messages, latest last, that a question asks for, in the second person or quoted.

    None if it does not ask for what the user said, or if no sentence has to do with it.
    """
    plain = question.casefold()
    if not _asks(plain):
        return None
    asked = _stems(question)
    best, most = None, 0.0
    for message in reversed(told):
        for sentence in _short(sentences(message)):
            text = " ".join(sentence)
            shared = len(asked & _stems(text))
            fits = any(kind.search(plain) and answer.search(text) for kind, answer in _ANSWERS)
            measures = bool(fits and _MEASURES.search(plain) and _FIRST_PERSON.search(plain))
            if (shared or measures) and (said := _said(sentence)):
                # Of equals, what can be said in the second person.
                score = shared + fits / 2 - (said[0] == _QUOTE) / 4
                if score > most:
                    best, most = said, score
    return best


def told(message: str, value: str) -> str | None:
    """Return the sentence of a message that tells a value, in the second person or quoted."""
    having = (sentence for sentence in sentences(message) if value.casefold() in " ".join(sentence).casefold())
    return next((said for sentence in having if (said := _said(sentence))), None)


_MEASURES = re.compile(r"\b(?:how (?:many|much|old|long)|when|(?:what|which) (?:day|time|month|date))\b")
"""Asks for what a sentence may tell though it shares no word with the question."""

_FIRST_PERSON = re.compile(r"\b(?:i|my|me|mine)\b")


def _asks(plain: str) -> bool:
    """Return whether a message, in lower case, asks for what its writer may have told before."""
    if _REMINDS.search(plain):
        return bool(_FIRST_PERSON.search(plain))
    if fact_asked(plain):
        return True
    start = " ".join(without_fillers(plain))
    return bool(_ASKS.match(start)) and not _OTHERWISE.search(start) and not re.search(r"\b(?:you|your|u|ur|yours)\b", start)


def _short(found: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield sentences, given as their words; of those that are too long to be said again, their clauses."""
    for sentence in found:
        if len(sentence) <= _LONGEST:
            yield sentence
        else:
            yield from (without_fillers(clause) for clause in _CLAUSES.split(" ".join(sentence)))


def _said(sentence: Sequence[str]) -> str | None:
    """Return a sentence in the second person if it is a statement, or quoted; None for questions and for long ones."""
    text = " ".join(sentence)
    if asks(text):
        return None
    if statement := in_second_person(sentence):
        return statement
    return _QUOTE + text + _QUOTE if 3 <= len(sentence) <= _LONGEST else None


def _stems(text: str) -> set[str]:
    """Return the words of a text that carry a meaning, without common endings, one for all that mean the same."""
    stems = {_ENDING.sub("", word.partition("'")[0]) for word in words(respelled(text)) if word not in _EMPTY} - _EMPTY
    return {_MEANING.get(stem, stem) for stem in stems}
