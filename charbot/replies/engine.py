"""The reply engine: a persona's answer to a conversation, chosen among many drawn.

Candidates are scored by how likely they are here, minus how likely anywhere (maximum mutual
information, Li et al. 2016, "A Diversity-Promoting Objective Function"), plus how much more
likely the persona is to say them than anybody, minus what they repeat. Pure: it prints
nothing and keeps nothing.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.config import ChatSettings
from charbot.corpus.conversation import Utterance, exchange, heard
from charbot.errors import BundleError
from charbot.personas.bundle import PersonaCard, read_persona
from charbot.personas.library import Library
from charbot.text import words
from charbot.tokens.vocabulary import Unit

if TYPE_CHECKING:
    from charbot.models.language_model import LanguageModel
    from charbot.tokens import Tokenizer

# Weights of a candidate's score, in nats a character, set by reading replies to everyday messages.
_ANYWHERE = 0.7
_PERSONA = 0.5
_REPETITION = 0.4
# What a character of a reply is worth in itself, and how many make half of the most that length
# can bring: "Yeah." fits nearly everywhere, and is no conversation.
_LENGTH = 0.25
_HALF_LENGTH = 40
_SMALL_TALK = tuple(Utterance(None, text) for text in ("Hey.", "So, anyway.", "Okay."))
"""What a reply to anything is measured against. Not against silence: at the start of a scene
people do not answer, and the shortest answers would look like the fittest."""
_CHARACTERS_A_WORD = 6
"""A bound in words is this many times as many characters for the character unit."""

_SENTENCE_END = re.compile(r"""[.!?]["')]*(?=\s|$)""")


@dataclass(frozen=True)
class Candidate:
    """A reply that was drawn, and what its score is made of, each in nats a character."""

    text: str
    score: float
    here: float
    anywhere: float
    anybody: float
    repetition: float


@dataclass(frozen=True)
class Reply:
    """What the persona says, who it is, what else was drawn (best first), and how long it took."""

    speaker: str
    text: str
    candidates: tuple[Candidate, ...]
    seconds: float


class Voice:
    """A persona that can reply. Its card is read at once, each unit's model when first needed."""

    def __init__(self, library: Library, name: str, settings: ChatSettings) -> None:
        """Raises BundleError where there is no such persona, or its card is damaged."""
        self._library = library
        self._folder: Path = library.find(name)
        self.card: PersonaCard = read_persona(self._folder)
        self.settings = settings
        self._loading = threading.Lock()
        self._loaded: dict[Unit, tuple[LanguageModel, Tokenizer]] = {}

    def load(self, unit: Unit) -> "tuple[LanguageModel, Tokenizer]":
        """The model and tokenizer of a unit, read once, whichever thread asks first. Raises BundleError."""
        with self._loading:
            if unit not in self._loaded:
                self._loaded[unit] = self._read(unit)
            return self._loaded[unit]

    def _read(self, unit: Unit) -> "tuple[LanguageModel, Tokenizer]":
        from charbot.models.loading import persona_model
        from charbot.tokens import tokenizer_for

        if unit not in self.card.fits:
            raise BundleError(f"{self.card.name} has no {unit} model; fit it with `charbot train --unit {unit}`")
        model, vocabulary = persona_model(self._library, self._folder, self.card.fits[unit], unit, self.card.name)
        return model, tokenizer_for(vocabulary)

    def reply(
        self,
        context: Sequence[Utterance],
        *,
        seed: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Reply:
        """The reply to a conversation, oldest turn first.

        The same context and seed (`settings.seed` where none is given) give the same reply.
        Raises BundleError, and sampling.Cancelled where `cancelled()` says so before it is done.
        """
        import torch

        from charbot.replies.sampling import Sampling, sample_replies
        from charbot.tokens.render import render_prompt

        started = time.perf_counter()
        settings = self.settings
        seed = settings.seed if seed is None else seed
        model, tokenizer = self.load(settings.unit)
        turns = heard(context, settings.context_turns)
        longest = settings.max_words * (_CHARACTERS_A_WORD if settings.unit == "char" else 1)
        generator = torch.Generator()
        generator.manual_seed(secrets.randbits(31) if seed is None else seed)
        drawn = sample_replies(
            model,
            tokenizer.vocabulary,
            render_prompt(tokenizer, turns, self.card.name),
            settings.candidates,
            Sampling(settings.temperature, settings.top_p, longest),
            generator,
            cancelled,
        )
        texts = dict.fromkeys(
            _whole_sentences(tokenizer.decode(ids), cut=len(ids) >= longest, unit=settings.unit) for ids in drawn
        )
        candidates = self._scored(model, tokenizer, turns, [text for text in texts if text] or ["..."])
        return Reply(self.card.name, candidates[0].text, tuple(candidates), time.perf_counter() - started)

    def _scored(
        self, model: "LanguageModel", tokenizer: "Tokenizer", turns: Sequence[Utterance], texts: Sequence[str]
    ) -> list[Candidate]:
        """Candidates, the best first."""
        from charbot.evaluation.likelihood import characters, predicted_nats
        from charbot.tokens.render import render

        settings = [(turns, self.card.name), (turns, None), *(((turn,), self.card.name) for turn in _SMALL_TALK)]
        asked = [exchange(before, Utterance(speaker, text)) for before, speaker in settings for text in texts]
        nats = predicted_nats(model, [render(tokenizer, one) for one in asked])
        # By the character, not by the token: spelled words have many cheap tokens.
        likely = [-float(part.sum()) / characters(one) for part, one in zip(nats, asked, strict=True)]
        said = [turn.text for turn in turns]
        found = []
        for i, text in enumerate(texts):
            here, anybody, *elsewhere = likely[i :: len(texts)]
            anywhere = sum(elsewhere) / len(elsewhere)
            repetition = _repetition(text, said)
            fit = here - _ANYWHERE * anywhere + _PERSONA * (here - anybody)
            said_more = len(text) / (len(text) + _HALF_LENGTH)
            score = (fit + _LENGTH) * said_more - _REPETITION * repetition
            found.append(Candidate(text, score, here, anywhere, anybody, repetition))
        return sorted(found, key=lambda candidate: -candidate.score)


def _whole_sentences(text: str, *, cut: bool, unit: Unit) -> str:
    """A reply that was cut at its bound ends at its last whole sentence, or else its last whole word."""
    text = text.strip()
    if not cut:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if ends:
        return text[: ends[-1]]
    return (text.rpartition(" ")[0] or text) + "..." if unit == "char" else text + "..."


def _pairs(text: str) -> list[tuple[str, str]]:
    return list(pairwise(words(text)))


def _repetition(text: str, said: Sequence[str]) -> float:
    """From 0 to 1: how much of a reply repeats itself or what was just said, counted in pairs of words."""
    if any(words(turn) == words(text) for turn in said):
        return 1.0
    pairs = _pairs(text)
    before = {pair for turn in said for pair in _pairs(turn)}
    repeated = sum(pair in before or pair in pairs[:i] for i, pair in enumerate(pairs))
    return repeated / max(1, len(pairs))
