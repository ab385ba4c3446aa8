"""How well models answer in held-out conversations of people, and personas in those that were written for them."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

from charbot.corpus.chats import Chat
from charbot.corpus.conversation import Conversation, Utterance, exchanges
from charbot.evaluation.likelihood import likelihood
from charbot.evaluation.replies import retrieval
from charbot.models.loading import base_model, persona_model
from charbot.personas.library import Library
from charbot.replies.engine import SMALL_TALK, Voice
from charbot.replies.lexicon import Lexicon
from charbot.replies.memory import Memory
from charbot.replies.mind import Mind
from charbot.replies.ranking import GIVEN, Candidate, ranked
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import UNITS

_REPLIES = 1_000
"""Replies that are measured, drawn from all that are held out."""


class _Anybody:
    """Ranks given lines as a base does: somebody in particular says none of them."""

    def __init__(self, library: Library) -> None:
        model, vocabulary, _ = base_model(library, "word")
        self._mind = Mind("", model, tokenizer_for(vocabulary))
        self._lexicon = Lexicon.of(vocabulary.words, vocabulary.speakers)
        self._small_talk = self._mind.prompts(self._mind.read([(SMALL_TALK, None)]), None)

    def rank(self, memory: Memory, texts: Sequence[str]) -> tuple[Candidate, ...]:
        mind = self._mind
        here = mind.prompts(mind.read([(memory.turns, None)]), None)
        likely, anywhere = (
            mind.likely([(prompt, text) for prompt in prompts for text in texts]) for prompts in (here, self._small_talk)
        )
        (follows,) = mind.follows(here, [memory.turns], [texts])
        known = dict(zip(texts, likely, strict=True))
        return ranked(known, anywhere, [0.0] * len(texts), follows, memory.turns, "", self._lexicon, GIVEN)


def chat_report(library: Library, chats: Iterable[Chat], context: int) -> dict[str, Any]:
    """Bits per character of replies in test conversations, by each base, and how often the word base finds the true one
    among 20."""
    chosen = _sample(one for chat in chats if chat.split == "test" for one in _answers(chat.turns, context))
    report: dict[str, Any] = {"chat_replies": len(chosen)}
    for unit in UNITS:
        model, vocabulary, _ = base_model(library, unit)
        report[f"chat_{unit}_bits_per_character"] = likelihood(model, tokenizer_for(vocabulary), chosen).bits_per_character
    hits, rank = retrieval(_Anybody(library), chosen, [one.turns[-1].text for one in chosen])
    return report | {"chat_hits_at_1": hits, "chat_mean_reciprocal_rank": rank}


def voice_report(voice: Voice, library: Library, voices: Iterable[Chat]) -> dict[str, Any]:
    """Bits per character of what a persona answers in held-out conversations that were written for it, and how often
    it finds its own answer among 20."""
    name = voice.card.name
    chosen = _sample(
        one
        for chat in voices
        if chat.split != "train"
        for one in exchanges(chat.turns, voice.settings.context_turns, name)
        if len(one.turns) > 1
    )
    if not chosen:
        return {}
    report: dict[str, Any] = {"voice_replies": len(chosen)}
    folder = library.find(name)
    for unit, fit in voice.card.fits.items():
        model, vocabulary = persona_model(library, folder, fit, unit, name)
        report[f"voice_{unit}_bits_per_character"] = likelihood(model, tokenizer_for(vocabulary), chosen).bits_per_character
    hits, rank = retrieval(voice, chosen, [one.turns[-1].text for one in chosen])
    return report | {"voice_hits_at_1": hits, "voice_mean_reciprocal_rank": rank}


def _answers(turns: Sequence[Utterance], context: int) -> Iterable[Conversation]:
    """Each turn but the first, as nobody's."""
    anonymous = [Utterance(None, turn.text) for turn in turns]
    return (one for one in exchanges(anonymous, context) if len(one.turns) > 1)


def _sample(found: Iterable[Conversation]) -> list[Conversation]:
    every = list(found)
    return random.Random(0).sample(every, min(_REPLIES, len(every)))
