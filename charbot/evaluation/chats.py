"""Metrics on held-out conversations: of bases on chats between people, of personas on conversations written for them."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

from charbot.config import ChatSettings
from charbot.corpus.chats import Chat
from charbot.corpus.examples import Example, response_examples
from charbot.dialogue import Utterance
from charbot.evaluation.likelihood import likelihood
from charbot.evaluation.replies import retrieval
from charbot.generation.conversation import Conversation
from charbot.generation.dialogue_acts import marked
from charbot.generation.engine import Engine
from charbot.generation.lexicon import Lexicon
from charbot.generation.persona import SMALL_TALK, Persona
from charbot.generation.reranking import SELECTION_WEIGHTS, Candidate, rerank
from charbot.personas.library import Library
from charbot.personas.loading import base_model, persona_model
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import UNITS

_REPLIES = 1_000
"""Maximum size of the sample of held-out replies that is measured."""


class _Anybody:
    """Ranks given lines by the word base, as replies of an anonymous speaker."""

    def __init__(self, library: Library) -> None:
        model, vocabulary, _ = base_model(library, "word")
        self._engine = Engine("", model, tokenizer_for(vocabulary))
        self._lexicon = Lexicon.of(vocabulary.words, vocabulary.speakers)
        self._small_talk = self._engine.begin_turn(self._engine.prefill([(SMALL_TALK, None)]), None)

    def rank(self, conversation: Conversation, texts: Sequence[str]) -> tuple[Candidate, ...]:
        engine = self._engine
        here = engine.begin_turn(engine.prefill([(conversation.turns, None)]), None)
        log_probs, unconditional = (
            engine.log_likelihoods([(prompt, text) for text in texts]) for prompt in (*here, *self._small_talk)
        )
        (relevance,) = engine.relevance_scores(here, [conversation.turns], [texts])
        known = dict(zip(texts, log_probs, strict=True))
        return rerank(known, unconditional, relevance, conversation.turns, "", self._lexicon, SELECTION_WEIGHTS)


def chat_report(library: Library, chats: Iterable[Chat], context: int) -> dict[str, Any]:
    """Return each base's bits per character of replies in test conversations, and the word base's retrieval metrics."""
    chosen = _sample(one for chat in chats if chat.split == "test" for one in _answers(chat.turns, context))
    report: dict[str, Any] = {"chat_replies": len(chosen)}
    for unit in UNITS:
        model, vocabulary, _ = base_model(library, unit)
        report[f"chat_{unit}_bits_per_character"] = likelihood(model, tokenizer_for(vocabulary), chosen).bits_per_character
    hits, rank = retrieval(_Anybody(library), chosen, [one.turns[-1].text for one in chosen])
    return report | {"chat_hits_at_1": hits, "chat_mean_reciprocal_rank": rank}


def voice_report(persona: Persona, library: Library, voices: Iterable[Chat], options: ChatSettings) -> dict[str, Any]:
    """Return bits per character and retrieval metrics of a persona's answers in held-out conversations written for it.

    The report is empty if there are none.
    """
    name = persona.card.name
    chosen = _sample(
        one
        for chat in voices
        if chat.split != "train" and not marked(chat.turns[0].text)
        for one in response_examples(chat.turns, options.context_turns, name)
        if len(one.turns) > 1
    )
    if not chosen:
        return {}
    report: dict[str, Any] = {"voice_replies": len(chosen)}
    folder = library.find(name)
    for unit, model_card in persona.card.models.items():
        model, vocabulary = persona_model(library, folder, model_card, unit, name)
        report[f"voice_{unit}_bits_per_character"] = likelihood(model, tokenizer_for(vocabulary), chosen).bits_per_character
    hits, rank = retrieval(persona, chosen, [one.turns[-1].text for one in chosen])
    return report | {"voice_hits_at_1": hits, "voice_mean_reciprocal_rank": rank}


def _answers(turns: Sequence[Utterance], context: int) -> Iterable[Example]:
    """Yield a response example for each turn but the first, with all speakers anonymous."""
    anonymous = [Utterance(None, turn.text) for turn in turns]
    return (one for one in response_examples(anonymous, context) if len(one.turns) > 1)


def _sample(found: Iterable[Example]) -> list[Example]:
    every = list(found)
    return random.Random(0).sample(every, min(_REPLIES, len(every)))
