"""Messages of the protocol, read as a conversation with a persona."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from bots.server.protocol import Message
from charbot.dialogue import Utterance, prepare_turns
from charbot.generation.conversation import MAX_EARLIER, Conversation
from charbot.personas.library import slug

_CHARACTERS = 4_000
"""Code points of a conversation that are read, at most: longer ones would hold up all other clients."""

_EXAMPLES = ("example_user", "example_assistant")
"""Names under which clients send the turns of an example conversation, as system messages. They may name anybody."""


@dataclass(frozen=True)
class Dialogue:
    """The conversation in a request."""

    conversation: Conversation
    warnings: tuple[str, ...]
    """What of the messages was ignored."""


def read_messages(messages: Sequence[Message], persona: str, speakers: tuple[str, ...], turns: int) -> Dialogue:
    """Return a conversation with a persona, of which models read the last `turns` turns; the beginning of a long one is left out.

    Assistants speak as the persona, users as the character that a system message names, if any; examples name nobody. `speakers`
    are the characters that the model knows.
    """
    user: str | None = None
    utterances: list[Utterance] = []
    warnings: list[str] = []
    for message in messages:
        text, other_types = _text(message)
        if other_types:
            warnings.append(f"parts of the type {', '.join(other_types)} are ignored: personas read text alone")
        if message.role == "system" and message.name in _EXAMPLES:
            warnings.append("examples are ignored: a persona knows how it talks")
        elif message.role in ("system", "developer"):
            names = characters_named(text, speakers) - {persona}
            if len(names) == 1:
                (user,) = names
            else:
                what = f"names {', '.join(sorted(names))}" if names else f"names no character that {persona} knows"
                warnings.append(f"a {message.role} message is ignored: it {what}; one that names one character makes you it")
        elif message.role in ("user", "assistant"):
            role = persona if message.role == "assistant" else user
            character = _character(message.name, speakers)
            if message.name and character is None:
                warnings.append(f"the name {message.name[:80]!r} is ignored: it is no character that {persona} knows")
            utterances.append(Utterance(character or role, text))
        else:
            warnings.append(f"{message.role} messages are ignored: personas use no tools")
    return Dialogue(
        Conversation.of(_newest(prepare_turns(utterances, turns + MAX_EARLIER)), turns), tuple(dict.fromkeys(warnings))
    )


def _newest(turns: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    """Return as many of the last turns as have at most _CHARACTERS code points together."""
    count = sum(total <= _CHARACTERS for total in accumulate(len(turn.text) for turn in reversed(turns)))
    return turns[len(turns) - count :]


def characters_named(text: str, speakers: tuple[str, ...]) -> set[str]:
    """Return the characters that a text names, as it spells them; a text that is nothing but a name may spell it otherwise."""
    name = _character(text, speakers)
    return {name} if name else set(_pattern(speakers).findall(text))


def _text(message: Message) -> tuple[str, list[str]]:
    """Return the text of a message, and the types of its parts that are not text."""
    if message.content is None or isinstance(message.content, str):
        return message.content or "", []
    texts = [part.text or "" for part in message.content if part.type == "text"]
    return " ".join(texts), sorted({part.type for part in message.content} - {"text"})


def _character(name: str | None, speakers: tuple[str, ...]) -> str | None:
    """Return the character of that name, which may be spelled as a model's is: `mr-garrison`."""
    return _by_slug(speakers).get(slug(name)) if name else None


@lru_cache
def _by_slug(speakers: tuple[str, ...]) -> dict[str, str]:
    return {slug(speaker): speaker for speaker in speakers}


@lru_cache
def _pattern(speakers: tuple[str, ...]) -> re.Pattern[str]:
    # Long names first: `Frank Jr.` is not `Frank`.
    names = "|".join(re.escape(speaker) for speaker in sorted(speakers, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)")
