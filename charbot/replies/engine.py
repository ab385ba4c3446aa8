"""The reply engine: a persona's answer to a conversation, chosen among many drawn. Pure: it prints nothing and keeps nothing."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.config import ChatSettings
from charbot.corpus.conversation import Utterance
from charbot.models import LOADING
from charbot.personas.bundle import PersonaCard, read_guard, read_persona, read_voice
from charbot.personas.library import Library
from charbot.replies.answers import Answers
from charbot.replies.lexicon import Lexicon
from charbot.replies.memory import Memory
from charbot.replies.ranking import DRAWN, GIVEN, Candidate, Weights, goes_in_circles, ranked
from charbot.text import broken_off
from charbot.tokens.vocabulary import Unit

if TYPE_CHECKING:
    from charbot.personas.guard import CopyGuard
    from charbot.replies.manners import Manners
    from charbot.replies.mind import Mind
    from charbot.replies.sampling import Prompt

_CHARACTERS_A_WORD = 6
"""A bound in words is this many times as many characters for the character unit."""

_OPENING = 2
"""Words that open a reply."""

_ROUNDS = 3
"""How often replies are drawn where none of them can be said."""

SMALL_TALK = (Utterance(None, "Hey."),)
"""What a reply to anything is measured against. Not against silence: at the start of a scene
people do not answer, and the shortest answers would look like the fittest."""


@dataclass(frozen=True)
class Reply:
    """What the persona says, what else was drawn (best first), the memory after it, and how long it took."""

    text: str
    candidates: tuple[Candidate, ...]
    memory: Memory
    seconds: float


class Voice:
    """A persona that can reply. Its card is read at once, each unit's model when first needed."""

    def __init__(self, library: Library, name: str, settings: ChatSettings) -> None:
        """Raises BundleError where there is no such persona, or its card is damaged."""
        self._library = library
        self._folder: Path = library.find(name)
        self.card: PersonaCard = read_persona(self._folder)
        self.settings = settings
        self._loaded: dict[Unit, tuple[Mind, Prompt]] = {}

    def under(self, settings: ChatSettings) -> "Voice":
        """The same persona under other settings; what is loaded is loaded once for both."""
        other = copy(self)
        other.settings = settings
        vars(other).pop("_manners", None)
        return other

    def load(self, unit: Unit) -> "tuple[Mind, Prompt]":
        """A unit's model, and where small talk brings it to; read once, whichever thread asks first. Raises BundleError."""
        with LOADING:
            if unit not in self._loaded:
                self._loaded[unit] = self._read(unit)
            return self._loaded[unit]

    def _read(self, unit: Unit) -> "tuple[Mind, Prompt]":
        from charbot.models.loading import persona_model
        from charbot.replies.mind import Mind
        from charbot.replies.sampling import SPOKEN
        from charbot.tokens import tokenizer_for

        fit = self.card.fit(unit)
        model, vocabulary = persona_model(self._library, self._folder, fit, unit, self.card.name)
        model.quantise(SPOKEN)
        # What a cache holds is of use to that cache alone.
        cache = self._library.base(unit, fit.base)[1].cache
        mind = Mind(f"{fit.sha256}{cache}", model, tokenizer_for(vocabulary))
        (small_talk,) = mind.prompts(mind.read([(SMALL_TALK, None)]), self.card.name)
        return mind, small_talk

    @cached_property
    def _guards(self) -> "list[CopyGuard]":
        bases = {unit: fit.base for unit, fit in self.card.fits.items()}
        return [*self._library.base_guards(bases), read_guard(self._folder, self.card)]

    @cached_property
    def _answers(self) -> Answers:
        return Answers(read_voice(self._folder, self.card))

    @cached_property
    def _lexicon(self) -> Lexicon:
        fit = self.card.fits.get("word")
        if fit is None:
            return Lexicon.of(())
        vocabulary = self._library.base("word", fit.base)[2]
        return Lexicon.of(vocabulary.words, vocabulary.speakers)

    @cached_property
    def _manners(self) -> "Manners":
        from charbot.replies.manners import Manners

        return Manners(self.settings.unclean_words)

    def reply(self, memory: Memory, *, seed: int | None = None, cancelled: Callable[[], bool] = lambda: False) -> Reply:
        """The reply to a conversation.

        The same memory and seed (`settings.seed` where none is given) give the same reply.
        Raises BundleError, and Cancelled where `cancelled()` says so before it is done.
        """
        (reply,) = self.replies([memory], [seed], cancelled)
        return reply

    def replies(
        self, memories: Sequence[Memory], seeds: Sequence[int | None], cancelled: Callable[[], bool] = lambda: False
    ) -> list[Reply]:
        """The replies to many conversations, drawn side by side: see `reply`."""
        started = time.perf_counter()
        settings = self.settings
        mind, _ = self.load(settings.unit)
        import torch

        from charbot.replies.sampling import Sampling

        memories = self._up_to_date(memories, mind)
        prompts = mind.prompts([memory.readings[mind.id] for memory in memories], self.card.name)
        word = _CHARACTERS_A_WORD if settings.unit == "char" else 1
        sampling = Sampling(settings.candidates, settings.temperature, settings.top_p, settings.max_words * word, _OPENING * word)
        wanted = [settings.seed if seed is None else seed for seed in seeds]
        chances = [torch.Generator().manual_seed(secrets.randbits(31) if seed is None else seed) for seed in wanted]
        texts: dict[int, dict[str, float]] = {}
        for _ in range(_ROUNDS):
            pending = [i for i in range(len(memories)) if i not in texts]
            drawn = [
                {_capitalised(text): likely for text, likely in found.items()}
                for found in mind.draw([prompts[i] for i in pending], sampling, [chances[i] for i in pending], cancelled)
            ]
            sayable = [{text: likely for text, likely in found.items() if self._can_be_said(text)} for found in drawn]
            texts |= {i: found for i, found in zip(pending, sayable, strict=True) if found}
            if len(texts) == len(memories):
                break
        else:
            mended = [{self._mended(text): likely for text, likely in found.items()} for found in drawn]
            texts |= {i: found for i, found in zip(pending, mended, strict=True) if i not in texts}
        known = [self._known(memory) for memory in memories]
        asked = [(prompt, text) for prompt, answers in zip(prompts, known, strict=True) for text in answers]
        likely = iter(mind.likely(asked))
        for i, answers in enumerate(known):
            texts[i] |= dict(zip(answers, likely, strict=False))
        ranking = self._ranked(memories, prompts, [texts[i] for i in range(len(memories))], DRAWN, known)
        seconds = time.perf_counter() - started
        return [
            Reply(candidates[0].text, candidates, memory.said(candidates[0].text, self.card.name), seconds)
            for memory, candidates in zip(memories, ranking, strict=True)
        ]

    def rank(self, memory: Memory, texts: Sequence[str]) -> tuple[Candidate, ...]:
        """Given lines as candidates, the likeliest reply first. Raises BundleError."""
        mind, _ = self.load(self.settings.unit)
        (memory,) = self._up_to_date([memory], mind)
        (here,) = mind.prompts([memory.readings[mind.id]], self.card.name)
        likely = mind.likely([(here, text) for text in texts])
        (ranking,) = self._ranked([memory], [here], [dict(zip(texts, likely, strict=True))], GIVEN, [{}])
        return ranking

    def _up_to_date(self, memories: Sequence[Memory], mind: "Mind") -> list[Memory]:
        """The memories, bounded, after a mind has read all of them."""
        bounded = [memory.bounded(self.settings.context_turns) for memory in memories]
        readings = mind.read([(memory.turns, memory.readings.get(mind.id)) for memory in bounded])
        return [
            replace(memory, readings={**memory.readings, mind.id: reading})
            for memory, reading in zip(bounded, readings, strict=True)
        ]

    def _known(self, memory: Memory) -> dict[str, float]:
        """What was written for the persona to answer to such a message, with how like it is."""
        said = {turn.text for turn in memory.turns}
        near = self._answers.near(memory.turns)
        return {text: alike for text, alike in near.items() if text not in said and self._can_be_said(text)}

    def _ranked(
        self,
        memories: Sequence[Memory],
        heres: "Sequence[Prompt]",
        texts: Sequence[Mapping[str, float]],
        weights: Weights,
        known: Sequence[Mapping[str, float]],
    ) -> list[tuple[Candidate, ...]]:
        """For each memory, and where it brings the model to, its candidates, the best first: texts with their log p here,
        in nats a character."""
        mind, small_talk = self.load(self.settings.unit)

        def likely(befores: "Sequence[Prompt]", weight: float) -> list[list[float]]:
            """log p of each memory's texts after what is before them there, 0 where that counts nothing."""
            if not weight:
                return [[0.0] * len(found) for found in texts]
            asked = iter(mind.likely([(before, text) for before, found in zip(befores, texts, strict=True) for text in found]))
            return [list(islice(asked, len(found))) for found in texts]

        anywhere = likely([small_talk] * len(memories), weights.anywhere)
        anybody = likely(mind.prompts([memory.readings[mind.id] for memory in memories], None), weights.persona)
        turns = [memory.turns for memory in memories]
        follows = mind.follows(heres, turns, [list(found) for found in texts])
        parts = zip(texts, anywhere, anybody, follows, turns, strict=True)
        return [ranked(*one, self.card.name, self._lexicon, weights, own) for one, own in zip(parts, known, strict=True)]

    def _can_be_said(self, text: str) -> bool:
        """Whether a reply is made of words, goes in no circles, quotes no script at length, and is clean where it has to be."""
        sound = self._lexicon.knows(text) and not goes_in_circles(text) and not self._copies(text)
        return sound and (not self.settings.clean or self._manners.clean(text))

    def _copies(self, text: str) -> bool:
        return any(guard.copies(text) for guard in self._guards)

    def _mended(self, text: str) -> str:
        """The beginning of a reply that quotes no script at length, clean where it has to be."""
        if self._copies(text):
            words = text.split(" ")
            while self._copies(" ".join(words)):
                words.pop()
            text = broken_off(" ".join(words))
        return self._manners.masked(text) if self.settings.clean else text


def _capitalised(text: str) -> str:
    """A reply as a script would begin it: what repeats a word from the middle of a message has it in small letters."""
    return text[:1].upper() + text[1:]
