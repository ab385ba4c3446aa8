"""Benchmark of reply speed: latency for one user, throughput for many, and a decoding step against the machine's peak."""

import resource
import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Any

import torch

from charbot.config import ChatSettings
from charbot.generation.batching import MAX_BATCH
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona, Request
from charbot.generation.sampling import REPLY_VOCABULARY
from charbot.models.language_model import LanguageModel
from charbot.models.peak import peak_gflops

_AT_ONCE = (1, 8, 64)


def bench_reply(persona: Persona, messages: Sequence[str], rounds: int, options: ChatSettings) -> dict[str, Any]:
    """Return median timings over `rounds`; each round times everything once."""
    engine, _ = persona.load(options.unit)
    model, rows = engine.model, options.candidates
    plain = LanguageModel(model.architecture).eval()
    persona.reply(Conversation().add("Hi."), options, seed=0)
    alone: list[float] = []
    found: list[dict[str, float]] = []
    for number in range(rounds):
        alone += _one_user(persona, messages, number, options)
        figures = {f"replies_per_second_at_{count}": _together(persona, messages, count, number, options) for count in _AT_ONCE}
        step, slow = _seconds(_step(model, rows)), _seconds(_plain_step(plain, rows))
        gflops, peak = _flops(plain, rows) / step / 1e9, peak_gflops(torch.float32)
        found.append(
            figures
            | {"together_against_alone": figures[f"replies_per_second_at_{_AT_ONCE[-1]}"] / figures["replies_per_second_at_1"]}
            | {"step_ms": step * 1e3, "step_against_nn_lstm": slow / step, "step_gflops": gflops, "peak_gflops": peak}
            | {"step_against_peak": gflops / peak}
        )
    return {
        "persona": persona.card.name,
        "unit": options.unit,
        "candidates": rows,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "median_ms": round(median(alone) * 1e3, 1),
        "95th_percentile_ms": round(quantiles(alone, n=20)[-1] * 1e3, 1),
        **{name: round(median(one[name] for one in found), 3) for name in found[0]},
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _one_user(persona: Persona, messages: Sequence[str], seed: int, options: ChatSettings) -> list[float]:
    """Return the seconds that each reply takes in one conversation."""
    conversation, seconds = Conversation(), []
    for message in messages:
        reply = persona.reply(conversation.add(message), options, seed=seed)
        conversation = reply.conversation
        seconds.append(reply.seconds)
    return seconds


def _together(persona: Persona, messages: Sequence[str], count: int, seed: int, options: ChatSettings) -> float:
    """Return replies per second with `count` conversations waiting at once; the number of replies is always the same."""
    conversations = [Conversation().add(messages[i % len(messages)]) for i in range(_AT_ONCE[-1])]
    started = time.perf_counter()
    size = min(count, MAX_BATCH)
    for start in range(0, len(conversations), size):
        part = conversations[start : start + size]
        persona.reply_batch([Request(one, seed + start + i) for i, one in enumerate(part)], options)
    return len(conversations) / (time.perf_counter() - started)


def _seconds(run: Callable[[], object], times: int = 30) -> float:
    found = []
    with torch.inference_mode():
        run()
        for _ in range(times):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
    return median(found)


def _step(model: LanguageModel, rows: int) -> Callable[[], object]:
    """Return a function that decodes one token per row: a model step and the logits of the reply vocabulary."""
    ids, state = torch.ones(rows, dtype=torch.int64), model.initial_state(rows)
    return lambda: model.logits(model.step(ids, state)[0], REPLY_VOCABULARY)


def _plain_step(model: LanguageModel, rows: int) -> Callable[[], object]:
    """Return the same as `_step`, by a float32 `nn.LSTM` called for one token: the baseline."""
    ids, state = torch.ones((1, rows), dtype=torch.int64), model.initial_state(rows)
    return lambda: model.logits(model(ids, state)[0], REPLY_VOCABULARY)


def _flops(model: LanguageModel, rows: int) -> float:
    """Return the floating point operations of a step's matrix products."""
    weights = (*model.recurrent.parameters(), *model.projection.parameters(), model.output_weight[:REPLY_VOCABULARY])
    return 2.0 * rows * sum(weight.numel() for weight in weights if weight.ndim == 2)
