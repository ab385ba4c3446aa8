"""Benchmark of reply speed: the replies to one user, those to many at once, and a decoding step against the machine's peak."""

import resource
import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Any

import torch

from charbot.config import ChatSettings
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.generation.sampling import REPLY_VOCABULARY
from charbot.models.language_model import LanguageModel
from charbot.models.peak import peak_gflops
from charbot.models.threads import one_thread

_AT_ONCE = 64
"""Number of conversations that wait for a reply at once."""

_ROUNDS = 3
"""How often all of them are answered."""


def bench_reply(persona: Persona, messages: Sequence[str], options: ChatSettings) -> dict[str, Any]:
    """Return the figures of a persona's replies to these messages. Raises BundleError."""
    persona.reply(Conversation().add("Hi."), options, seed=0)  # loads it
    return (
        latency(persona, messages, options)
        | {f"replies_per_second_at_{_AT_ONCE}": round(throughput(persona, messages, options), 1)}
        | _step_figures(persona, options)
        | {"memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
    )


def latency(
    persona: Persona, messages: Sequence[str], options: ChatSettings, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return how long the replies to one user take, who sends the messages one by one: percentiles and the longest, in ms.

    `clock` returns the time in seconds.
    """
    conversation, times = Conversation(), []
    for message in messages:
        conversation = conversation.add(message)
        started = clock()
        conversation = persona.reply(conversation, options, seed=0).conversation
        times.append((clock() - started) * 1e3)
    percentiles = quantiles(times, n=100, method="inclusive")
    found = {f"p{percent}_ms": percentiles[percent - 1] for percent in (50, 95, 99)} | {"longest_ms": max(times)}
    return {"replies": len(times)} | {name: round(value, 1) for name, value in found.items()}


def throughput(
    persona: Persona, messages: Sequence[str], options: ChatSettings, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return replies per second with _AT_ONCE conversations waiting at once, answered as the bots do: the median of _ROUNDS."""
    conversations = [Conversation().add(messages[number % len(messages)]) for number in range(_AT_ONCE)]
    found = []
    with BatchScheduler() as scheduler:
        for _ in range(_ROUNDS):
            started = clock()
            replies = [scheduler.submit(persona, one, options, seed=seed) for seed, one in enumerate(conversations)]
            for reply in replies:
                reply.result()
            found.append(_AT_ONCE / (clock() - started))
    return median(found)


def _step_figures(persona: Persona, options: ChatSettings) -> dict[str, float]:
    """Return the milliseconds of a decoding step on one thread, and its speed against `nn.LSTM` and the machine's peak."""
    engine, _ = persona.load(options.unit)
    model, rows = engine.model, options.candidates
    plain = LanguageModel(model.architecture).eval()
    with one_thread():
        step, slow = _seconds(_step(model, rows)), _seconds(_plain_step(plain, rows))
        peak = peak_gflops(torch.float32)
    return {
        "step_ms": round(step * 1e3, 3),
        "step_against_nn_lstm": round(slow / step, 2),
        "step_against_peak": round(_flops(plain, rows) / step / 1e9 / peak, 2),
    }


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
