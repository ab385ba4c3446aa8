"""What a persona hears and says where replies are to be clean: offending messages are not heard, and evaded."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from charbot.config import ChatSettings
from charbot.generation.conversation import Conversation
from charbot.generation.filters import CHANGE_OF_SUBJECT, ReplyFilter
from charbot.generation.reranking import Candidate

_EVASION = f"{CHANGE_OF_SUBJECT} "
"""Goes before a reply to what was not heard, so that it looks like no answer."""

_FEW = 3
"""Number of evasions that every persona has at least."""

_LATEST = 3
"""Turns that a reply may be about."""


def heard(conversation: Conversation, persona: str, options: ChatSettings) -> Conversation:
    """Return a conversation as a persona hears it: without what offends, if replies are to be clean."""
    if not options.clean:
        return conversation
    from charbot.generation.offence import without_offence

    return without_offence(conversation, persona)


def clean_filters(conversation: Conversation, options: ChatSettings) -> tuple[ReplyFilter, ...]:
    """Return the filters that any reply to a conversation passes if it is to be clean."""
    if not options.clean:
        return ()
    from charbot.generation.offence import mentions_group
    from charbot.generation.profanity import ProfanityFilter

    latest = " ".join(turn.text for turn in conversation.turns[-_LATEST:])
    return (ProfanityFilter(options.unclean_words, mentions_group(latest)),)


def evadable(avoid: Collection[str]) -> Collection[str]:
    """Return what an evasion must not be, of the texts that a reply must not be: nothing if these are more than the few evasions.

    Other answers might look like answers to what was not heard.
    """
    return avoid if len(avoid) < _FEW else ()


def without_evasion(texts: Iterable[str]) -> set[str]:
    """Return replies without the change of subject before them."""
    return {text.removeprefix(_EVASION) for text in texts}


def evasions(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return replies that change the subject."""
    return tuple(replace(candidate, text=_EVASION + candidate.text) for candidate in candidates)
