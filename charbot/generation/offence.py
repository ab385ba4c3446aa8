"""Talk that offends: slurs, groups of people with a judgement or violence, and sexual talk, however it is spelled.

In what a user writes it is recognised by phrases, because refusals of harmless messages are tiresome. In a reply, of which there
are others, single words are enough.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from charbot.generation.conversation import Conversation
from charbot.generation.disguise import spoken
from charbot.yamlfile import read_yaml

_HEARD = "Tell me something interesting."
"""What personas hear instead of what offends: voices answer it."""

_BEFORE = 2
"""Number of turns before a message that it may be about."""

_LIST = re.compile(r"<(\w+)>")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Return the lists of offence.yaml as patterns, by name."""
    lists: dict[str, str] = {}
    for name, patterns in read_yaml(Path(__file__).with_name("offence.yaml")).items():
        lists[name] = f"(?:{_LIST.sub(lambda other: lists[other[1]], '|'.join(patterns.splitlines()))})"
    return {name: re.compile(rf"\b{pattern}\b") for name, pattern in lists.items()}


@lru_cache(1024)
def offends(message: str) -> bool:
    """Return whether a message has a slur, judges a group of people or asks for that, threatens, or is sexual talk."""
    # What people say of themselves, and of what is done to them, judges nobody.
    ways = [_patterns()["own"].sub("", way) for way in spoken(message)]
    if _found(ways, "slurs", "hate", "threats", "sexual talk"):
        return True
    return _judges(ways) or (_found(ways, "group") and not _found(ways, "kind"))


def mentions_group(message: str) -> bool:
    """Return whether a message mentions a group of people or a member of one."""
    return _found(spoken(message), "anybody")


def is_unclean(reply: str, after_group: bool = False) -> bool:
    """Return whether a reply has a slur, a sexual word, or a judgement of a group that it mentions, or (`after_group`) the
    messages before it."""
    ways = spoken(reply)
    return _found(ways, "slurs", "swearing", "sexual words") or _judges(ways, after_group)


def names_group(reply: str) -> bool:
    """Return whether a reply names a group that is often judged, or a member of one."""
    return _found(spoken(reply), "group", "member", "origin")


def without_offence(conversation: Conversation, persona: str) -> Conversation:
    """Return a conversation in which each turn of others than the persona that offends asks for something interesting instead.

    A judgement also offends if one of the _BEFORE turns before it mentions a group.
    """
    turns = (*conversation.earlier, *conversation.turns)
    heard = []
    for place, turn in enumerate(turns):
        after_group = any(mentions_group(other.text) for other in turns[max(0, place - _BEFORE) : place])
        offending = offends(turn.text) or (after_group and _judges(spoken(turn.text), after_group))
        heard.append(replace(turn, text=_HEARD) if turn.speaker != persona and offending else turn)
    earlier = len(conversation.earlier)
    return replace(conversation, turns=tuple(heard[earlier:]), earlier=tuple(heard[:earlier]))


def _judges(ways: Iterable[str], after_group: bool = False) -> bool:
    return (after_group or _found(ways, "anybody")) and _found(ways, "judgement", "violence")


def _found(ways: Iterable[str], *names: str) -> bool:
    return any(_patterns()[name].search(way) for name in names for way in ways)
