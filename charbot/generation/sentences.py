"""Sentences of a message, and the one that it is about: greetings, laughter and forms of address say little."""

import re
from collections.abc import Collection, Sequence
from itertools import dropwhile

from charbot.text import words

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")

_LAUGHTER = re.compile(r"lo+l|l+m+f?a+o+|rofl|(?:a?h[aeiou]){2,}h?|hah?|xd+")
_EMPTY = frozenset(
    words("hi hey hello hiya heya yo sup oh ooh aw aww ah hmm um uh omg ok okay so well and but anyway anyways btw")
)
"""Words that say nothing at the beginning of a message."""

_FILLERS = _EMPTY | frozenset(words("yeah yes no lol haha honestly actually also then now please"))
"""Words before a statement that do not belong to it."""

_ADDRESS = frozenset(words("man dude buddy bro pal mate guys everyone everybody folks friend sir honey tho though"))

_DETERMINER = frozenset(words("the that this a my your his her our their old young what which over in out"))
"""Words before which a noun is no address."""

_BEFORE_NAME = frozenset(words("you u up it me bye goodnight night morning thanks thank sorry going doing today"))
_AFTER_NAME = frozenset(words("what whats what's who whos who's where wheres where's when why how hows how's do are i i'm im my"))
"""Words after and before which a name is an address, without a comma between."""

_ATTENTION = re.compile(
    r"(?:(?:are )?(?:you|u) (?:there|busy|free)|(?:have you |you )?got a (?:min|minute|sec|second|moment)"
    r"|guess what|(?:you )?know what|can i (?:tell|ask) you something)\W*",
    re.IGNORECASE,
)
"""Sentences that only ask for attention."""

_TAG = 2
"""Maximum number of words of a sentence that may say nothing of its own, as "isn't it?" or "Yes, really."."""

_ASKING = frozenset(words("what what's whats who who's whos whose where where's wheres why how how's hows which any wanna ever"))
AUXILIARY = frozenset(
    words(
        "do does did are is was were have has can could would will should am don't doesn't didn't aren't isn't wasn't won't"
        " haven't can't couldn't wouldn't shouldn't dont doesnt didnt arent isnt wasnt wont havent cant couldnt wouldnt shouldnt"
    )
)
_SUBJECT = frozenset(words("you u ya i we he she it they that this there your my his her our the any anyone anybody"))
"""Words with which questions begin: one of the first kind, or one of the second and one of the third."""


def sentences(message: str) -> list[list[str]]:
    """Return the words of each sentence of a message, without its final punctuation and the fillers before it."""
    return [without_fillers(sentence) for sentence in _SENTENCE.findall(message.lower() if message.isupper() else message)]


def without_fillers(sentence: str) -> list[str]:
    """Return the words of a sentence, without its final punctuation and the fillers before it."""
    spoken = sentence.rstrip(".!?, ").split()
    return list(dropwhile(lambda word: bare(word) in _FILLERS, spoken))


def core(message: str, called: Collection[str] = ()) -> str:
    """Return a message without greetings, laughter and address at either end; the message itself if nothing else is left.

    `called` are the words, in lower case, by which it may address the persona.
    """
    spoken = message.split()
    start, end = 0, len(spoken)
    while start < end and _is_opener(spoken, start, called):
        start += 1
    while end > start and _is_closer(spoken[start:end], called):
        end -= 1
    if not words(" ".join(spoken[start:end])):
        return message
    # The punctuation at the end tells a question.
    mark = "?" if end < len(spoken) and message.rstrip().endswith("?") and spoken[end - 1][-1:] not in ".!?" else ""
    return " ".join(spoken[start:end]).rstrip(",") + mark


def parts(message: str, called: Collection[str] = ()) -> list[str]:
    """Return the sentences of a message by what it wants an answer to: its questions, latest first, then the others.

    There are none in a message without words.
    """
    found = [core(part.strip(), called) for sentence in _SENTENCE.findall(message) for part in _clauses(sentence)]
    said = [sentence for sentence in reversed(found) if words(sentence)]
    return sorted(said, key=lambda one: (bool(_ATTENTION.fullmatch(one)), not asks(one), len(words(one)) <= _TAG))


def asks(sentence: str) -> bool:
    """Return whether a sentence is a question: by its end or, as many people leave that out, by its first words."""
    if sentence.rstrip().endswith("?"):
        return True
    first, second = (*words(sentence)[:2], "", "")[:2]
    if first in _ASKING:
        # As in "what a week".
        return second not in ("a", "an")
    return (first in AUXILIARY and second in _SUBJECT) or (first == "when" and second in AUXILIARY)


def bare(word: str) -> str:
    """Return a word in lower case, without the punctuation around it."""
    return word.strip('"(),;:-.!?*').casefold()


def _clauses(sentence: str) -> list[str]:
    """Return a sentence as a whole, or what stands before and after a comma that a question follows."""
    before, _, after = sentence.rpartition(", ")
    # Shorter ones belong to what is before, as "isn't it?", and so does what begins with "or".
    question = core(after).rstrip("?")
    return [before, after] if before and len(words(question)) > _TAG and asks(question) else [sentence]


def _is_opener(spoken: Sequence[str], place: int, called: Collection[str]) -> bool:
    """Return whether the word at a place, before which there are openers alone, says little."""
    word, greeted = bare(spoken[place]), place > 0 and bare(spoken[place - 1]) in _EMPTY
    if word in called:
        following = bare(spoken[place + 1]) if place + 1 < len(spoken) else None
        return greeted or not spoken[place][-1].isalnum() or following is None or following in _AFTER_NAME
    return not word or word in _EMPTY | _ADDRESS or (greeted and word == "there") or bool(_LAUGHTER.fullmatch(word))


def _is_closer(spoken: Sequence[str], called: Collection[str]) -> bool:
    """Return whether the last word says little."""
    word, before = bare(spoken[-1]), spoken[-2] if len(spoken) > 1 else ""
    if word in called:
        return before.endswith(",") or (len(spoken) > 3 and bare(before) in _BEFORE_NAME)
    return not word or (word in _ADDRESS and bare(before) not in _DETERMINER) or bool(_LAUGHTER.fullmatch(word))
