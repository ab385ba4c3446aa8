"""Dynamic batching of reply requests: a bounded queue, and threads that answer requests to the same persona together."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from charbot.config import DEFAULT_OPTIONS, ChatSettings
from charbot.errors import BusyError, Cancelled
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply, Request
from charbot.models.threads import replies_at_once

MAX_BATCH = 32
"""Maximum conversations per batch: the logits of more candidates do not fit in the CPU caches."""


class Replying(Protocol):
    """An object that replies to many conversations in one batch, as `Persona` does."""

    def reply_batch(
        self,
        requests: Sequence[Request],
        options: ChatSettings,
        cancelled: Callable[[], bool],
    ) -> list[Reply]: ...


@dataclass(frozen=True, eq=False)
class _Call:
    persona: Replying
    request: Request
    options: ChatSettings
    cancelled: Callable[[], bool]
    reply: "Future[Reply]"


class BatchScheduler:
    """Answers requests in order of arrival, batching the oldest one with all others that wait for the same persona
    under the same options. Each thread computes alone, so there is one for each core.

    Thread-safe. `close` it, or use it in a `with` block.
    """

    def __init__(self, waiting: int = 256, together: int = MAX_BATCH, threads: int | None = None) -> None:
        """Start the threads. `waiting` is the maximum queue length, `together` the maximum batch size."""
        self._waiting, self._together = waiting, together
        self._calls: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._open = True
        count = threads or replies_at_once()
        self._threads = [threading.Thread(target=self._serve, name=f"charbot-replies-{number}") for number in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        persona: Replying,
        conversation: Conversation,
        options: ChatSettings = DEFAULT_OPTIONS,
        *,
        seed: int | None = None,
        avoid: Collection[str] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> "Future[Reply]":
        """Enqueue a conversation and return a future of its reply.

        The future raises whatever the persona raises, or Cancelled if `cancelled()` returns True in time. Raises BusyError
        if the queue is full or the scheduler is closed.
        """
        call = _Call(persona, Request(conversation, seed, avoid), options, cancelled, Future())
        with self._changed:
            if len(self._calls) >= self._waiting:
                raise BusyError("too many are waiting for a reply; try again in a moment")
            if not self._open:
                raise BusyError("no more replies are given: charbot is closing")
            self._calls.append(call)
            self._changed.notify()
        return call.reply

    def close(self) -> None:
        """Answer the requests that are still waiting, then stop the threads."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "BatchScheduler":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _serve(self) -> None:
        while calls := self._next():
            self._answer(calls)

    def _next(self) -> list[_Call]:
        """Wait for and return the next batch; return an empty list once the scheduler is closed and the queue is empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls or not self._open)
            if not self._calls:
                return []
            first = self._calls[0]
            alike = [call for call in self._calls if call.persona is first.persona and call.options == first.options]
            chosen = alike[: self._together]
            for call in chosen:
                self._calls.remove(call)
        return chosen

    def _answer(self, calls: list[_Call]) -> None:
        wanted = []
        for call in calls:
            if not call.reply.set_running_or_notify_cancel():
                continue
            if call.cancelled():
                call.reply.set_exception(Cancelled())
            else:
                wanted.append(call)
        if wanted:
            self._give(wanted)

    def _give(self, wanted: list[_Call]) -> None:
        """Set the replies, or the persona's error, on the futures of a batch."""

        def cancelled() -> bool:
            return all(call.cancelled() for call in wanted)

        try:
            replies = wanted[0].persona.reply_batch([call.request for call in wanted], wanted[0].options, cancelled)
        except Exception as error:
            if len(wanted) == 1:
                # The error goes to the caller; the thread must survive it.
                wanted[0].reply.set_exception(error)
            else:
                # Retry one by one, so that a single bad conversation does not fail the whole batch.
                for call in wanted:
                    self._give([call])
        else:
            for call, reply in zip(wanted, replies, strict=True):
                call.reply.set_result(reply)
