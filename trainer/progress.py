"""Progress of a training run: a bar in a terminal, a line every 30 seconds elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trainer.checkpoint import Epoch

_LINE_SECONDS = 30.0


class ConsoleProgress:
    """A context manager and Callback that shows tokens per second, loss and time left."""

    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"), TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(title, figures="", total=None)
        self._started = self._shown = time.monotonic()
        self._total = 0
        self._tokens = 0
        self._steps = 0
        self._loss: float | None = None

    def __enter__(self) -> "ConsoleProgress":
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def on_start(self, done: int, total: int) -> None:
        self._total = total
        self._bar.update(self._task, completed=done, total=total)
        self._started = self._shown = time.monotonic()

    def on_step(self, done: int, tokens: int, loss: float) -> None:
        self._tokens += tokens
        self._steps += 1
        self._loss = loss if self._loss is None else 0.98 * self._loss + 0.02 * loss
        now = time.monotonic()
        seconds = max(1e-9, now - self._started)
        figures = f"{self._tokens / seconds:,.0f} tokens/s  loss {self._loss:.3f}"
        self._bar.update(self._task, completed=done, figures=figures)
        if not self._console.is_terminal and now - self._shown > _LINE_SECONDS:
            self._shown = now
            left = (self._total - done) * seconds / self._steps
            self._console.print(f"{self._title}: {done}/{self._total}  {figures}  {left / 60:.0f} min left", highlight=False)

    def on_epoch(self, done: int, epoch: Epoch) -> None:
        self._console.print(
            f"{self._title}: epoch {epoch.number}: train loss {epoch.loss:.3f} nats a token, {_validation(epoch)}, "
            f"{epoch.seconds / 60:.1f} min",
            highlight=False,
        )
        for temperature, sample in epoch.samples.items():
            self._console.print(f"  at {temperature}: {sample}", highlight=False, markup=False)


def _validation(epoch: Epoch) -> str:
    """Return the validation result of an epoch as text."""
    return "no validation episode" if epoch.bits is None else f"valid {epoch.bits:.4f} bits a character"
