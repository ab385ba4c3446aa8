"""Inference with one model: encodes conversations, generates replies, and scores given ones."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from charbot.corpus.examples import full_example
from charbot.dialogue import Utterance
from charbot.generation.conversation import EncodedContext
from charbot.generation.sampling import REPLY_VOCABULARY, Prompt, Sample, SamplingParams, sample_replies
from charbot.generation.spelling import respelled
from charbot.models.attention import SPAN
from charbot.models.language_model import LanguageModel, token_nll
from charbot.models.neural_cache import WINDOW, CacheEntries, CacheQuery, batch_entries, match_lengths
from charbot.models.response_selector import TURNS, Bags
from charbot.models.state import DecoderState
from charbot.text import broken_off, normalise, words
from charbot.tokens import Tokenizer
from charbot.tokens.render import render, render_turn
from charbot.tokens.vocabulary import END, Unit

_AT_ONCE = 128
"""Batch size of `log_likelihoods`."""

_SENTENCE_END = re.compile(r"""[.!?]["')]*(?=\s|$)""")

_OPENING_WORDS = 3
"""Minimum number of words of a first sentence that is a reply of its own."""


@dataclass(frozen=True)
class Engine:
    """A model and its tokenizer."""

    id: str
    """Key of this model's states in `Conversation.encoded`."""
    model: LanguageModel
    tokenizer: Tokenizer

    @torch.inference_mode()
    def prefill(self, conversations: Sequence[tuple[Sequence[Utterance], EncodedContext | None]]) -> list[EncodedContext]:
        """Return the states after each conversation; only turns that its given state (if any) does not cover are read."""
        # States may come from a file: those that do not fit this model are ignored.
        conversations = [(turns, known if known and self._fits(known) else None) for turns, known in conversations]
        ids = [
            render(self.tokenizer, full_example(turns)).ids.tolist()
            if known is None
            else [id_ for turn in turns[known.turns :] for id_ in render_turn(self.tokenizer, turn)]
            for turns, known in conversations
        ]
        states = [self.model.initial_state(1) if known is None else _state_of(known) for _, known in conversations]
        read = [self._prefill_one(ids[0], states[0])] if len(ids) == 1 else self._prefill_batch(ids, states)
        found = []
        for (turns, known), new, (features, state) in zip(conversations, ids, read, strict=True):
            entries = self._update_cache(known, torch.tensor(new, dtype=torch.int64), features)
            found.append(EncodedContext(len(turns), (*_arrays(state), *entries)))
        return found

    def _fits(self, known: EncodedContext) -> bool:
        """Return whether a state has this model's shapes, and only ids that it can predict in its cache."""
        sizes = self.model.architecture
        start = self.model.initial_state(1)
        hidden, cell, trie, keys, values, cache_keys, ids = known.state
        same_sizes = [part[:, 0].shape for part in start[:3]] == [part.shape for part in (hidden, cell, trie)]
        same_sizes &= keys.shape == values.shape == (len(keys), sizes.attention) and len(keys) < SPAN
        same_sizes &= cache_keys.shape == (len(ids), sizes.cache)
        return same_sizes and bool(((ids >= 0) & (ids < sizes.outputs)).all())

    def _prefill_one(self, ids: Sequence[int], state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return the features (T, E) after each id, and the state after the last."""
        if not ids:
            return torch.empty(0, self.model.architecture.embedding), state
        features, state = self.model(torch.tensor(ids)[:, None], state)
        return features[:, 0], state

    def _prefill_batch(self, ids: Sequence[Sequence[int]], states: Sequence[DecoderState]) -> list[tuple[Tensor, DecoderState]]:
        """Do the same as `_prefill_one` for a batch.

        Conversations are sorted by length, longest first, so that the unfinished ones are always the first rows.
        """
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        state = DecoderState.stack([states[i] for i in order])
        features = torch.zeros(len(ids), len(ids[order[0]]), self.model.architecture.embedding)
        done: list[DecoderState] = []
        for position in range(features.shape[1] + 1):
            unfinished = sum(len(one) > position for one in ids)
            done[:0] = [state.select([row]) for row in range(unfinished, len(state.trie[0]))]
            if unfinished:
                now = torch.tensor([ids[i][position] for i in order[:unfinished]])
                features[:unfinished, position], state = self.model.step(now, state.select(slice(unfinished)))
        rows = {i: row for row, i in enumerate(order)}
        return [(features[rows[i], : len(one)], done[rows[i]]) for i, one in enumerate(ids)]

    def _update_cache(self, known: EncodedContext | None, ids: Tensor, features: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the neural cache's keys and ids after more ids, as EncodedContext stores them."""
        if self.model.cache is None:
            return np.zeros((0, 0), np.float16), np.zeros(0, np.int32)
        predicted = (ids[1:] < self.model.architecture.outputs).nonzero()[:, 0]
        keys = self.model.keys(features[predicted], ids[1:][predicted]).half().numpy()
        new = ids[1:][predicted].numpy().astype(np.int32)
        if known is not None:
            keys, new = np.concatenate((known.state[-2], keys)), np.concatenate((known.state[-1], new))
        return keys[-WINDOW:].copy(), new[-WINDOW:].copy()

    @torch.inference_mode()
    def begin_turn(self, encoded: Sequence[EncodedContext], speaker: str | None) -> list[Prompt]:
        """Feed the speaker's token to each conversation and return where generation continues from."""
        ids = torch.full((len(encoded),), self.tokenizer.vocabulary.speaker(speaker))
        features, state = self.model.step(ids, DecoderState.stack([_state_of(one) for one in encoded]))
        return [Prompt(features[i], state.select([i]), _cache_of(one)) for i, one in enumerate(encoded)]

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: SamplingParams,
        generators: Sequence[torch.Generator],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[dict[str, float]]:
        """Return distinct replies to each prompt, with their log p in nats per character. Raises Cancelled.

        The first sentence of a longer reply is another reply: what begins as an answer often goes astray after that.
        """
        vocabulary = self.tokenizer.vocabulary
        replies: list[dict[str, float]] = []
        for drawn in sample_replies(self.model, vocabulary, prompts, sampling, generators, cancelled):
            texts: dict[str, float] = {}
            # Unfinished replies are used only if there are no others.
            for reply in [reply for reply in drawn if reply.ended] or drawn:
                text = self.tokenizer.decode(reply.ids)
                whole = text if reply.ended else whole_sentences(text, vocabulary.unit)
                texts.setdefault(normalise(whole) or "...", -sum(reply.nats) / (len(text) + 1))
                texts.update(self._first_sentence(reply, text))
            replies.append(texts)
        return replies

    def _first_sentence(self, reply: Sample, text: str) -> dict[str, float]:
        """Return the first sentence of a reply (with this `text`) and its log p, unless it is too short or all there is."""
        end = _SENTENCE_END.search(text)
        if end is None or end.end() == len(text) or len(text[: end.end()].split()) < _OPENING_WORDS:
            return {}
        sentence = text[: end.end()]
        for length in range(1, len(reply.ids)):
            if self.tokenizer.decode(reply.ids[:length]) == sentence:
                nats = sum(reply.nats[:length]) + reply.end_nats[length]
                return {normalise(sentence): -nats / (len(sentence) + 1)}
        return {}

    @torch.inference_mode()
    def log_likelihoods(self, pairs: Sequence[tuple[Prompt, str]]) -> list[float]:
        """Return log p of each text and its end, given its prompt, in nats per character.

        As in generation, probabilities are over the first sampling.REPLY_VOCABULARY ids, unless the text contains others.
        """
        encoded = [self.tokenizer.encode(text) for _, text in pairs]
        order = sorted(range(len(pairs)), key=lambda i: len(encoded[i]))
        spoken = [max(one, default=END) < REPLY_VOCABULARY for one in encoded]
        found = [0.0] * len(pairs)
        for start in range(0, len(pairs), _AT_ONCE):
            part = order[start : start + _AT_ONCE]
            features = self._features([pairs[i][0] for i in part], [encoded[i] for i in part])
            for vocab_limit in (REPLY_VOCABULARY, None):
                alike = [(column, i) for column, i in enumerate(part) if spoken[i] == (vocab_limit is not None)]
                if alike:
                    columns, numbers = zip(*alike, strict=True)
                    texts = [encoded[i] for i in numbers]
                    longest = max(map(len, texts))
                    nats = self._nats([pairs[i][0] for i in numbers], texts, features[: longest + 1, columns], vocab_limit)
                    for i, cost in zip(numbers, nats.tolist(), strict=True):
                        found[i] = -cost / (len(pairs[i][1]) + 1)
        return found

    @torch.inference_mode()
    def relevance_scores(
        self, prompts: Sequence[Prompt], contexts: Sequence[Sequence[Utterance]], texts: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return, for each conversation, how well each of its texts answers it, in nats; 0 without a response selector.

        `contexts` are the turns of the conversations, `prompts` the model's positions after them.
        """
        selector = self.model.selector
        if selector is None or not any(texts):
            return [[0.0] * len(some) for some in texts]
        turns = [
            self._bags([conversation[-back].text if back <= len(conversation) else "" for conversation in contexts])
            for back in range(1, TURNS + 1)
        ]
        encoded = selector.encode_context(turns, torch.stack([prompt.features for prompt in prompts]))
        replies = selector.encode_response(self._bags([text for some in texts for text in some]))
        parts = torch.split(replies, [len(some) for some in texts])
        return [selector.score(one[None], part)[0].tolist() for one, part in zip(encoded, parts, strict=True)]

    @torch.inference_mode()
    def encode_messages(self, messages: Sequence[str]) -> Tensor | None:
        """Return the encodings (B, size) of messages; None without a message encoder."""
        if self.model.message_encoder is None or not messages:
            return None
        found: Tensor = self.model.message_encoder(*self.word_bags(messages))
        return found

    @torch.inference_mode()
    def encode_groups(self, groups: Sequence[Collection[str]]) -> Tensor | None:
        """Return the mean encodings (N, size), of length 1, of groups of messages; None without a message encoder."""
        encoded = self.encode_messages([message for group in groups for message in group])
        if encoded is None:
            return None
        parts = torch.split(encoded, [len(group) for group in groups])
        return normalize(torch.stack([part.sum(0) for part in parts]), dim=1)

    def word_bags(self, messages: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the words of messages that the message encoder knows, as it reads them (see MessageEncoder.forward)."""
        rows, count = self.tokenizer.vocabulary.bare_word_rows, self.model.architecture.word_vectors
        known = [[row for word in words(respelled(text)) if (row := rows.get(word, count)) < count] for text in messages]
        starts = [0, *accumulate(map(len, known[:-1]))]
        return torch.tensor([row for rows in known for row in rows], dtype=torch.int64), torch.tensor(starts)

    def _bags(self, texts: Sequence[str]) -> Bags:
        return self.model.bags([torch.tensor(self.tokenizer.encode(text), dtype=torch.int64) for text in texts])

    def _features(self, prompts: Sequence[Prompt], texts: Sequence[Sequence[int]]) -> Tensor:
        """Return the features (T + 1, N, E) after each prompt, and then after each id of its text, of at most T."""
        features = torch.stack([one.features for one in prompts])[None]
        ids = _columns(texts)
        if len(ids) == 1:
            return features
        after, _ = self.model(ids[:-1], DecoderState.stack([one.state for one in prompts]))
        return torch.cat([features, after])

    def _nats(
        self, prompts: Sequence[Prompt], texts: Sequence[Sequence[int]], features: Tensor, vocab_limit: int | None
    ) -> Tensor:
        """Return -ln P (N,) of each text and its end, given its prompt, over the first `vocab_limit` ids (all if None)."""
        ids = _columns(texts)
        longest = len(ids) - 1
        counted = torch.arange(longest + 1)[:, None] <= torch.tensor([len(one) for one in texts])
        nats = torch.zeros(3, *ids.shape)
        nats[:, counted] = token_nll(self.model, features[counted], ids[counted], vocab_limit=vocab_limit)
        own = nats[0]
        if self.model.cache is not None:
            # From here on the shapes are (N, T), or (N, T, cache entries).
            targets, features = ids.t(), features.transpose(0, 1)
            entries = batch_entries([prompt.entries for prompt in prompts], 1, longest + 1)
            before = entries.ids.shape[1] - longest - 1
            entries.keys[:, before:], entries.ids[:, before:] = self.model.keys(features, targets), targets
            at, seen = torch.arange(entries.ids.shape[1]), before + torch.arange(longest + 1)[:, None]
            visible = (entries.ids >= 0)[:, None] & (at < seen) & (at >= seen - WINDOW)
            query = CacheQuery(features, entries, visible, match_lengths(entries.ids, visible))
            (mixed,) = self.model.mixed_nll(nats.mT, query, targets, vocab_limit=vocab_limit)
            own = mixed.where(counted.t(), 0.0).t()
        return own.sum(0)


def _columns(texts: Sequence[Sequence[int]]) -> Tensor:
    """Return the ids (T + 1, N) of texts of at most T ids, each with its end."""
    ids = torch.full((max(map(len, texts)) + 1, len(texts)), END)
    for column, one in enumerate(texts):
        ids[: len(one), column] = torch.tensor(one, dtype=torch.int64)
    return ids


def _arrays(state: DecoderState) -> "tuple[NDArray[Any], ...]":
    """Return the state of one sequence as EncodedContext stores it, without the cache."""
    seen = state.visible[:, 0]
    return (
        *(part[:, 0].numpy().copy() for part in state[:3]),
        *(part[seen, 0].half().numpy() for part in (state.keys, state.values)),
    )


def _state_of(reading: EncodedContext) -> DecoderState:
    """Return the decoder state of an encoded context, as a batch of one."""
    hidden, cell, trie, keys, values = (torch.from_numpy(part)[:, None] for part in reading.state[:5])
    return DecoderState(hidden, cell, trie, keys.float(), values.float(), torch.ones(keys.shape[:2], dtype=torch.bool))


def _cache_of(reading: EncodedContext) -> CacheEntries:
    """Return the cache entries of an encoded context, as a batch of one."""
    keys, ids = (torch.from_numpy(part)[None] for part in reading.state[5:])
    return CacheEntries(keys.float(), ids.long())


def whole_sentences(text: str, unit: Unit) -> str:
    """Return an unfinished reply up to its last whole sentence, or else its last whole word, with an ellipsis."""
    text = text.strip()
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if ends:
        return text[: ends[-1]]
    return broken_off(text.rpartition(" ")[0] or text if unit == "char" else text)
