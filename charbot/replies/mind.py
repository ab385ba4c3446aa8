"""A model at work in a conversation: it reads turns, draws replies, and says how likely given ones are."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from charbot.corpus.conversation import Utterance, whole
from charbot.models.language_model import LanguageModel, State, token_nats
from charbot.replies.memory import Reading
from charbot.replies.sampling import Prompt, Sampling, sample_replies
from charbot.text import normalise
from charbot.tokens import Tokenizer
from charbot.tokens.render import render, render_turn
from charbot.tokens.vocabulary import END, Unit

_SENTENCE_END = re.compile(r"""[.!?]["')]*(?=\s|$)""")


@dataclass(frozen=True)
class Mind:
    """A model and its tokenizer. `id` tells what it has read from what others have."""

    id: str
    model: LanguageModel
    tokenizer: Tokenizer

    @torch.inference_mode()
    def read(self, turns: Sequence[Utterance], known: Reading | None = None) -> Reading:
        """Reads the turns of a conversation, those that it has not `known` yet."""
        if known is None:
            ids = render(self.tokenizer, whole(turns)).ids.tolist()
        else:
            ids = [id_ for turn in turns[known.turns :] for id_ in render_turn(self.tokenizer, turn)]
            if not ids:
                return known
        _, after = self.model(torch.tensor(ids)[:, None], None if known is None else _of_one(known))
        return Reading(len(turns), tuple(part[:, 0].numpy() for part in after))

    @torch.inference_mode()
    def prompt(self, reading: Reading, speaker: str | None) -> Prompt:
        """Where the model stands when it is the turn of `speaker`."""
        features, state = self.model.step(torch.tensor([self.tokenizer.vocabulary.speaker(speaker)]), _of_one(reading))
        return Prompt(features[0], state)

    def draw(
        self, prompt: Prompt, sampling: Sampling, generator: torch.Generator, cancelled: Callable[[], bool]
    ) -> dict[str, float]:
        """Replies, each text once, with its log p in nats a character. Raises sampling.Cancelled."""
        (drawn,) = sample_replies(self.model, self.tokenizer.vocabulary, [prompt], sampling, [generator], cancelled)
        found: dict[str, float] = {}
        for one in drawn:
            text = self.tokenizer.decode(one.ids)
            said = text if one.ended else whole_sentences(text, self.tokenizer.vocabulary.unit)
            found.setdefault(normalise(said) or "...", -sum(one.nats) / (len(text) + 1))
        return found

    @torch.inference_mode()
    def likely(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> Tensor:
        """(prompts, texts) log p of each text and its end after each prompt, in nats a character."""
        encoded = [self.tokenizer.encode(text) for text in texts]
        longest = max(map(len, encoded))
        ids = torch.full((longest + 1, len(texts)), END)
        for column, one in enumerate(encoded):
            ids[: len(one), column] = torch.tensor(one, dtype=torch.int64)
        ids = ids.repeat(1, len(prompts))
        counted = torch.arange(longest + 1)[:, None] <= torch.tensor([len(one) for one in encoded]).repeat(len(prompts))
        features = torch.stack([one.features for one in prompts]).repeat_interleave(len(texts), 0)[None]
        if longest:
            states = zip(*(one.state for one in prompts), strict=True)
            hidden, cell, places = (torch.cat(parts, 1).repeat_interleave(len(texts), 1) for parts in states)
            features = torch.cat([features, self.model(ids[:-1], (hidden, cell, places))[0]])
        nats = torch.zeros(ids.shape)
        nats[counted] = token_nats(self.model, features[counted], ids[counted])
        return -nats.sum(0).view(len(prompts), len(texts)) / torch.tensor([len(text) + 1 for text in texts])


def _of_one(reading: Reading) -> State:
    """A state as a batch of one reader."""
    hidden, cell, places = (torch.from_numpy(part)[:, None] for part in reading.state)
    return hidden, cell, places


def whole_sentences(text: str, unit: Unit) -> str:
    """A reply that was cut at its bound ends at its last whole sentence, or else its last whole word."""
    text = text.strip()
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if ends:
        return text[: ends[-1]]
    return (text.rpartition(" ")[0] or text) + "..." if unit == "char" else text + "..."
