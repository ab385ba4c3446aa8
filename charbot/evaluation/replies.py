"""Metrics of a persona's replies, compared with the character's real lines in held-out episodes."""

import random
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from charbot.config import ChatSettings
from charbot.corpus.examples import Example, response_examples
from charbot.corpus.table import episodes, scenes
from charbot.errors import CorpusError
from charbot.evaluation.diversity import distinct, mean_words, questions, repeats, said_again
from charbot.evaluation.everyday import everyday_messages
from charbot.evaluation.judge import Judge
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.generation.reranking import Candidate
from charbot.personas.copy_guard import run_hashes
from charbot.text import words

_PROMPTS = 200
"""Maximum held-out turns that are replied to, and replies among which repeats are counted."""
_CHAT = 8
"""Messages per chat in which repetition is measured."""
_AMONG = 20
"""Candidates among which the true reply is ranked."""
_CAST = 8
"""Maximum number of speakers that a judge tells apart."""
_ENOUGH = 50
"""Minimum training lines of each of these."""
_TOGETHER = (1, 5, 20)


def judge_of(table: pd.DataFrame, names: Sequence[str]) -> Judge | None:
    """Return a judge trained on the train split's lines of those of `names` with most lines.

    Returns None if fewer than two have at least _ENOUGH lines.
    """
    train = table[table["split"] == "train"]
    lines = {name: train.loc[train["speaker"] == name, "text"].tolist() for name in names}
    cast = sorted((name for name in lines if len(lines[name]) >= _ENOUGH), key=lambda name: -len(lines[name]))[:_CAST]
    return Judge({name: lines[name] for name in cast}) if len(cast) > 1 else None


def reply_report(persona: Persona, table: pd.DataFrame, judge: Judge | None, options: ChatSettings) -> dict[str, Any]:
    """Return metrics of a persona's replies to held-out turns and to everyday messages; NaN where there is too little data.

    Raises CorpusError if the character answers nobody in the test episodes.
    """
    name = persona.card.name
    held_out = [one for scene in scenes(table, "test") for one in response_examples(scene, options.context_turns, name)]
    held_out = [one for one in held_out if len(one.turns) > 1]
    if not held_out:
        raise CorpusError(f"{name} answers nobody in the test episodes of these scripts")
    chosen = random.Random(0).sample(held_out, min(_PROMPTS, len(held_out)))
    real = [one.turns[-1].text for one in chosen]
    seconds: list[float] = []

    def replies(conversations: Sequence[Conversation]) -> list[str]:
        found = []
        for seed, conversation in enumerate(conversations):
            reply = persona.reply(conversation, options, seed=seed)
            found.append(reply.text)
            seconds.append(reply.seconds)
        return found

    answers = replies([Conversation(one.turns[:-1]) for one in chosen])
    messages = everyday_messages()
    chatted = replies([Conversation().add(message) for message in messages])
    quoted: set[int] = set()
    for episode in episodes(table):
        quoted.update(run_hashes([word for text in episode for word in words(text)]).tolist())

    def copied(texts: Sequence[str]) -> float:
        return float(np.mean([not quoted.isdisjoint(run_hashes(words(text)).tolist()) for text in texts]))

    length = min(sum(len(words(text)) for text in texts) for texts in (answers, real))
    hits, rank = retrieval(persona, chosen, real)
    recognised = {
        f"recognised_{together}{of}": judge.recognised({name: said}, together)
        for together in _TOGETHER
        for of, said in (("", answers), ("_real", real))
        if judge and name in judge.speakers
    }
    return {
        "hits_at_1": hits, "mean_reciprocal_rank": rank, **recognised,
        "distinct_1": distinct(answers, 1, length), "distinct_1_real": distinct(real, 1, length),
        "distinct_2": distinct(answers, 2, length), "distinct_2_real": distinct(real, 2, length),
        "copied": copied(answers + chatted), "copied_real": copied(real), "repeated": repeats((chatted + answers)[:_PROMPTS]),
        "said_again": said_again(_chats(persona, messages, options)),
        "said_again_real": said_again([[turn.text for turn in one.turns] for one in chosen]),
        "words": mean_words(answers), "words_real": mean_words(real),
        "questions": questions(answers), "questions_real": questions(real),
        "median_ms": float(np.median(seconds)) * 1000, "slowest_20th_ms": float(np.quantile(seconds, 0.95)) * 1000,
    }  # fmt: skip


def _chats(persona: Persona, messages: Sequence[str], options: ChatSettings) -> list[list[str]]:
    """Chat with the persona, _CHAT messages at a time; return each reply with up to `context_turns` turns before it."""
    found = []
    for start in range(0, len(messages), _CHAT):
        conversation, said = Conversation(), []
        for seed, message in enumerate(messages[start : start + _CHAT], start):
            reply = persona.reply(conversation.add(message), options, seed=seed)
            conversation = reply.conversation
            said += [message, reply.text]
            found.append(said[-1 - options.context_turns :])
    return found


class Ranking(Protocol):
    """An object that ranks given lines as replies, as `Persona` does."""

    def rank(self, conversation: Conversation, texts: Sequence[str]) -> tuple[Candidate, ...]: ...


def retrieval(persona: Ranking, held_out: Sequence[Example], lines: Sequence[str]) -> tuple[float, float]:
    """Return hits@1 and mean reciprocal rank of the true replies, each among _AMONG of the `lines`.

    `lines` are the true replies of `held_out`. Both are NaN if there are too few different ones.
    """
    if len(set(lines)) < _AMONG:
        return float("nan"), float("nan")
    chance = random.Random(1)
    places = []
    for one, true in zip(held_out, lines, strict=True):
        others = chance.sample(sorted(set(lines) - {true}), _AMONG - 1)
        ranking = persona.rank(Conversation(one.turns[:-1]), [*others, true])
        places.append(1 + [candidate.text for candidate in ranking].index(true))
    return float(np.mean([place == 1 for place in places])), float(np.mean([1 / place for place in places]))
