"""The reply pipeline of a persona: encode the conversation, generate candidates, filter them, rerank them.

It prints nothing and has no conversation state of its own.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.config import DEFAULT_OPTIONS, ChatSettings
from charbot.dialogue import Utterance
from charbot.generation.answers import Answers
from charbot.generation.conversation import Conversation
from charbot.generation.crisis import crisis_note
from charbot.generation.evasion import clean_filters, evadable, evasions, heard, without_evasion
from charbot.generation.filters import CopyFilter, ReplyFilter, WordFilter, accepts, repaired
from charbot.generation.lexicon import Lexicon
from charbot.generation.meaning import MeaningIndex
from charbot.generation.reranking import (
    GENERATION_WEIGHTS,
    SELECTION_WEIGHTS,
    Candidate,
    ScoreWeights,
    rerank,
    sample_best,
    without_repeats,
)
from charbot.malloc import release_freed_memory
from charbot.models import LOADING
from charbot.models.threads import one_thread
from charbot.personas.bundle import PersonaCard, read_guard, read_persona, read_voice
from charbot.personas.library import Library
from charbot.sharing import shared
from charbot.text import words
from charbot.tokens.vocabulary import Unit, Vocabulary

if TYPE_CHECKING:
    from torch import Generator

    from charbot.generation.engine import Engine
    from charbot.generation.sampling import Prompt

_CHARACTERS_PER_WORD = 6
"""Converts limits in words to limits in characters, for the character unit."""

_OPENING = 2
"""Words at the start of a reply that are sampled at the full temperature."""

_TITLES = ("mr", "mrs", "ms", "dr", "jr", "sgt", "president")
"""Parts of names that many people leave out."""

_RETRIEVED = 5
"""Maximum number of retrieved candidates."""

_ROUNDS = 3
"""Maximum attempts at generating a reply that the filters accept."""

SMALL_TALK = (Utterance(None, "Hey."),)
"""Context of the unconditional log-probability of a reply. An empty context would not do: at the start of a scene people
do not answer, so that the shortest answers would gain most."""


@dataclass(frozen=True)
class Request:
    """A conversation that a reply is wanted to. Raises ConfigError if the seed is none that settings may have."""

    conversation: Conversation
    seed: int | None = None
    """Seed of the random numbers; None for that of the options, or a random one."""
    avoid: Collection[str] = ()
    """Texts that the reply must not be."""

    def __post_init__(self) -> None:
        # Raises ConfigError where the seed is none that settings may have.
        ChatSettings(seed=self.seed)


@dataclass(frozen=True)
class Reply:
    """A persona's reply to a conversation."""

    text: str
    candidates: tuple[Candidate, ...]
    """All candidates: the text, then the others, best first."""
    conversation: Conversation
    """The conversation with the reply added."""
    seconds: float
    """Time taken; the same for all replies of a batch."""


class Persona:
    """A persona that can reply. Models are loaded when first needed."""

    def __init__(self, library: Library, name: str) -> None:
        """Read the persona's card. Raises BundleError if there is no such persona or its card is damaged."""
        self._library = library
        self._folder: Path = library.find(name)
        self.card: PersonaCard = read_persona(self._folder)
        self._loaded: dict[Unit, tuple[Engine, Prompt]] = {}
        self._meanings: dict[Unit, MeaningIndex | None] = {}

    def load(self, unit: Unit) -> "tuple[Engine, Prompt]":
        """Return a unit's engine, and its prompt after SMALL_TALK.

        They are loaded at the first call (thread-safe). Raises BundleError.
        """
        with LOADING:
            if unit not in self._loaded:
                self._loaded[unit] = self._read(unit)
            return self._loaded[unit]

    def _read(self, unit: Unit) -> "tuple[Engine, Prompt]":
        from charbot.generation.engine import Engine
        from charbot.generation.sampling import REPLY_VOCABULARY
        from charbot.personas.loading import persona_model
        from charbot.tokens import tokenizer_for

        model_card = self.card.model(unit)
        model, vocabulary = persona_model(self._library, self._folder, model_card, unit, self.card.name)
        model.quantize(REPLY_VOCABULARY)
        # Cache entries are valid only for the cache that made them, hence its checksum.
        cache = self._library.base(unit, model_card.base)[1].cache
        engine = Engine(f"{model_card.sha256}{cache}", model, tokenizer_for(vocabulary))
        (small_talk,) = engine.begin_turn(engine.prefill([(SMALL_TALK, None)]), self.card.name)
        self._meanings[unit] = MeaningIndex.of(engine, self._answers.openings)
        release_freed_memory()
        return engine, small_talk

    @cached_property
    def _answers(self) -> Answers:
        # Not the persona's own: a greeting by name is a greeting.
        called = frozenset(words(self.card.name))
        return Answers(read_voice(self._folder, self.card), self._lexicon.people.difference(_TITLES, called), called)

    @cached_property
    def _lexicon(self) -> Lexicon:
        model_card = self.card.models.get("word")
        if model_card is None:
            return Lexicon.of(())
        return _lexicon(self._library.base("word", model_card.base)[2])

    @cached_property
    def _sound(self) -> tuple[ReplyFilter, ...]:
        """Filters that generated replies pass under all options."""
        bases = {unit: model_card.base for unit, model_card in self.card.models.items()}
        guards = [*self._library.base_guards(bases), read_guard(self._folder, self.card)]
        return WordFilter(self._lexicon), CopyFilter(guards)

    def reply(
        self,
        conversation: Conversation,
        options: ChatSettings = DEFAULT_OPTIONS,
        *,
        seed: int | None = None,
        avoid: Collection[str] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Reply:
        """Return the reply to a conversation.

        The same conversation, options, seed (default: `options.seed`) and texts to `avoid` give the same reply. It is none of
        `avoid`, and nothing that the persona said in the conversation before, unless there is no other candidate. A message
        about suicide, abuse or violence gets a note out of character: see `charbot.generation.crisis`.
        Raises BundleError, ConfigError for a seed that settings may not have, and Cancelled if `cancelled()` returns True before
        the reply is complete.
        """
        (reply,) = self.reply_batch([Request(conversation, seed, avoid)], options, cancelled)
        return reply

    def reply_batch(
        self,
        requests: Sequence[Request],
        options: ChatSettings = DEFAULT_OPTIONS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        """Return the replies to many conversations, generated as one batch: see `reply`."""
        started = time.perf_counter()
        notes = [_crisis_note(request.conversation, options) for request in requests]
        answered = [request for request, note in zip(requests, notes, strict=True) if note is None]
        with one_thread():
            found = iter(self._candidates(answered, options, cancelled) if answered else ())
        seconds = time.perf_counter() - started
        replies = []
        for request, note in zip(requests, notes, strict=True):
            candidates, conversation = next(found) if note is None else ((Candidate.of_text(note),), request.conversation)
            text = candidates[0].text
            replies.append(Reply(text, candidates, conversation.add(text, self.card.name), seconds))
        return replies

    def _candidates(
        self, requests: Sequence[Request], options: ChatSettings, cancelled: Callable[[], bool]
    ) -> list[tuple[tuple[Candidate, ...], Conversation]]:
        """Return for each request the candidates, the one to say first, and the conversation with the models' states."""
        import torch

        read = [request.conversation.truncated(options.context_turns) for request in requests]
        audible = [heard(conversation, self.card.name, options) for conversation in read]
        evading = [one.turns[-1:] != other.turns[-1:] for one, other in zip(read, audible, strict=True)]
        clean = [clean_filters(conversation, options) for conversation in audible]
        conversations, prompts = self._encode(audible, options)
        seeds = [options.seed if request.seed is None else request.seed for request in requests]
        generators = [torch.Generator().manual_seed(secrets.randbits(31) if seed is None else seed) for seed in seeds]
        said = [
            without_evasion(evadable(request.avoid) if evades else (*request.avoid, *_said_by(self.card.name, conversation)))
            for conversation, request, evades in zip(conversations, requests, evading, strict=True)
        ]
        # Not all filters: what somebody wrote is no quotation by accident, and its rare words are words.
        retrieved = self._shortlist(
            conversations, prompts, self._retrieve(conversations, said, options.unit, clean), options.unit
        )
        texts = self._log_likelihoods(prompts, retrieved, options.unit)
        # Readers find that written answers make more sense than generated ones even where the known message is not very similar.
        alone = [i for i, answers in enumerate(retrieved) if not answers]
        filters = [(*self._filters(options), *clean[i]) for i in alone]
        generated = self._generate([prompts[i] for i in alone], [generators[i] for i in alone], options, filters, cancelled)
        for i, replies in zip(alone, generated, strict=True):
            texts[i] = replies
        rankings = self._rerank(conversations, prompts, texts, options.unit, GENERATION_WEIGHTS, retrieved)
        chosen = [
            sample_best(without_repeats(ranking, repeated), float(torch.rand((), generator=generator)))
            for ranking, repeated, generator in zip(rankings, said, generators, strict=True)
        ]
        spoken = [evasions(ranking) if evades else ranking for ranking, evades in zip(chosen, evading, strict=True)]
        states = [replace(one, encoded=conversation.encoded) for one, conversation in zip(read, conversations, strict=True)]
        return list(zip(spoken, states, strict=True))

    def shortened(self, text: str, unit: Unit, tokens: int) -> str:
        """Return the end of a message that is at most about so many tokens of a unit's model. Raises BundleError."""
        from charbot.tokens.truncation import last_tokens

        engine, _ = self.load(unit)
        return last_tokens(engine.tokenizer, text, tokens)

    def rank(
        self, conversation: Conversation, texts: Sequence[str], options: ChatSettings = DEFAULT_OPTIONS
    ) -> tuple[Candidate, ...]:
        """Rank given lines as replies to a conversation, best first. Raises BundleError."""
        with one_thread():
            conversations, prompts = self._encode([conversation], options)
            likely = self._log_likelihoods(prompts, [texts], options.unit)
            (ranking,) = self._rerank(conversations, prompts, likely, options.unit, SELECTION_WEIGHTS, [{}])
        return ranking

    def _filters(self, options: ChatSettings) -> tuple[ReplyFilter, ...]:
        """Return the filters that generated replies to any conversation pass under these options."""
        if not options.clean:
            return self._sound
        from charbot.generation.profanity import GroupFilter

        return *self._sound, GroupFilter()

    def _encode(self, conversations: Sequence[Conversation], options: ChatSettings) -> "tuple[list[Conversation], list[Prompt]]":
        """Return the conversations, truncated and with model states, and the prompts at which the persona's turns begin."""
        engine, _ = self.load(options.unit)
        truncated = [conversation.truncated(options.context_turns) for conversation in conversations]
        encoded = engine.prefill([(conversation.turns, conversation.encoded.get(engine.id)) for conversation in truncated])
        read = [conversation.with_state(engine.id, context) for conversation, context in zip(truncated, encoded, strict=True)]
        return read, engine.begin_turn(encoded, self.card.name)

    def _generate(
        self,
        prompts: "Sequence[Prompt]",
        chances: "Sequence[Generator]",
        options: ChatSettings,
        filters: Sequence[Sequence[ReplyFilter]],
        cancelled: Callable[[], bool],
    ) -> list[dict[str, float]]:
        """Return, for each prompt, replies that the filters accept (or repaired ones), with their log p in nats per character."""
        from charbot.generation.sampling import SamplingParams

        engine, _ = self.load(options.unit)
        word = _CHARACTERS_PER_WORD if options.unit == "char" else 1
        params = SamplingParams(options.candidates, options.temperature, options.top_p, options.max_words * word, _OPENING * word)
        accepted: list[dict[str, float]] = [{} for _ in prompts]
        generated = accepted
        for _ in range(_ROUNDS):
            pending = [i for i, texts in enumerate(accepted) if not texts]
            if not pending:
                break
            generated = engine.generate([prompts[i] for i in pending], params, [chances[i] for i in pending], cancelled)
            for i, texts in zip(pending, generated, strict=True):
                capitalised = {_capitalised(text): log_prob for text, log_prob in texts.items()}
                accepted[i] = {text: log_prob for text, log_prob in capitalised.items() if accepts(text, filters[i])}
        # Prompts without an accepted reply after all rounds get repaired ones of the last round.
        for i, texts in zip(pending, generated, strict=False):
            if not accepted[i]:
                accepted[i] = {repaired(_capitalised(text), filters[i]): log_prob for text, log_prob in texts.items()}
        return accepted

    def _retrieve(
        self,
        conversations: Sequence[Conversation],
        said: Sequence[Collection[str]],
        unit: Unit,
        filters: Sequence[Sequence[ReplyFilter]],
    ) -> list[dict[str, float]]:
        """Return for each conversation the retrieved answers that are accepted and not among those `said` before, with the
        similarity of the message that they answer."""
        engine, _ = self.load(unit)
        queries = [
            self._answers.openings.queries(conversation.turns[-1].text) if conversation.turns else {}
            for conversation in conversations
        ]
        index, asked = self._meanings[unit], list(chain.from_iterable(queries))
        meanings = iter(index.similar(engine, asked) if index else [None] * len(asked))
        return [
            {
                text: similarity
                for text, similarity in self._answers.near(
                    conversation.earlier + conversation.turns, [next(meanings) for _ in found], before
                ).items()
                if accepts(text, clean)
            }
            for conversation, found, before, clean in zip(conversations, queries, said, filters, strict=True)
        ]

    def _shortlist(
        self,
        conversations: Sequence[Conversation],
        prompts: "Sequence[Prompt]",
        answers: Sequence[Mapping[str, float]],
        unit: Unit,
    ) -> list[dict[str, float]]:
        """Return the most familiar answers to each conversation; of equals, those that the response selector prefers."""
        turns = [conversation.turns for conversation in conversations]
        relevance = self.load(unit)[0].relevance_scores(prompts, turns, [list(found) for found in answers])
        pairs = [zip(found.items(), scores, strict=True) for found, scores in zip(answers, relevance, strict=True)]
        return [dict(pair for pair, _ in sorted(one, key=lambda of: (-of[0][1], -of[1]))[:_RETRIEVED]) for one in pairs]

    def _rerank(
        self,
        conversations: Sequence[Conversation],
        prompts: "Sequence[Prompt]",
        texts: Sequence[Mapping[str, float]],
        unit: Unit,
        weights: ScoreWeights,
        familiar: Sequence[Mapping[str, float]],
    ) -> list[tuple[Candidate, ...]]:
        """Return the ranked candidates of each conversation; `texts` maps their texts to log p given its prompt."""
        engine, small_talk = self.load(unit)
        nothing = [dict.fromkeys(found, 0.0) for found in texts]
        unconditional = self._log_likelihoods([small_talk] * len(texts), texts, unit) if weights.unconditional else nothing
        turns = [conversation.turns for conversation in conversations]
        relevance = engine.relevance_scores(prompts, turns, [list(found) for found in texts])
        return [
            rerank(
                texts[i], list(unconditional[i].values()), relevance[i], turns[i],
                self.card.name, self._lexicon, weights, familiar[i],
            )
            for i in range(len(conversations))
        ]  # fmt: skip

    def _log_likelihoods(self, prompts: "Sequence[Prompt]", texts: Sequence[Iterable[str]], unit: Unit) -> list[dict[str, float]]:
        """Return log p of each prompt's texts, in nats per character."""
        engine, _ = self.load(unit)
        asked = [(prompt, text) for prompt, found in zip(prompts, texts, strict=True) for text in found]
        likely = iter(engine.log_likelihoods(asked))
        return [{text: next(likely) for text in found} for found in texts]


@shared
def _lexicon(vocabulary: Vocabulary) -> Lexicon:
    return Lexicon.of(vocabulary.words, vocabulary.speakers)


def _crisis_note(conversation: Conversation, options: ChatSettings) -> str | None:
    return crisis_note(conversation.turns[-1].text, options.crisis_note) if conversation.turns else None


def _said_by(name: str, conversation: Conversation) -> set[str]:
    return {turn.text for turn in conversation.earlier + conversation.turns if turn.speaker == name}


def _capitalised(text: str) -> str:
    """Return a reply with its first letter in upper case; one that starts with a copied word may lack it."""
    return text[:1].upper() + text[1:]
