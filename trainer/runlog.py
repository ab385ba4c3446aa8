"""The records of a training run: a JSON-lines log, TensorBoard events and an HTML report."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charbot.errors import TrainingError
from charbot.storage import replace_bytes
from trainer.checkpoint import Epoch
from trainer.report import report_page

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG, PAGE = "log.jsonl", "report.html"

_POINTS = 1_000
"""Approximate number of step losses in a log, however long the training run."""


class RunLog:
    """A Callback that writes the records into a folder; a resumed training run continues its log."""

    def __init__(self, folder: Path, title: str, facts: dict[str, Any]) -> None:
        self._folder = folder
        self._title = title
        self._facts = facts
        self._entries: list[dict[str, Any]] = []
        self._events: SummaryWriter | None = None
        self._every = 1
        self._sum, self._count = 0.0, 0

    def on_start(self, done: int, total: int) -> None:
        self._every = max(1, total // _POINTS)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            known = (self._folder / LOG).read_text("utf-8").splitlines() if done and (self._folder / LOG).exists() else []
            # Steps after the last checkpoint are trained again.
            self._entries = [entry for entry in map(json.loads, known) if entry["done"] <= done]
            self._write()
        except (OSError, ValueError) as error:
            raise TrainingError(f"{self._folder / LOG}: cannot be read or written ({error}); delete it") from error
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._events = SummaryWriter(str(self._folder), purge_step=done)

    def on_step(self, done: int, tokens: int, loss: float) -> None:
        self._sum, self._count = self._sum + loss, self._count + 1
        if done % self._every == 0:
            loss = self._sum / self._count
            self._entries.append({"done": done, "loss": round(loss, 5)})
            self._sum, self._count = 0.0, 0
            if self._events is not None:
                self._events.add_scalar("loss", loss, done)

    def on_epoch(self, done: int, epoch: Epoch) -> None:
        self._entries.append({"done": done, "epoch": asdict(epoch)})
        if self._events is not None:
            if epoch.bits is not None:
                self._events.add_scalar("valid bits a character", epoch.bits, done)
            for temperature, sample in epoch.samples.items():
                self._events.add_text(f"at {temperature}", sample, done)
            self._events.flush()
        self._write()

    def finish(self, scores: Mapping[str, float]) -> Path:
        """Add the final scores, close the log, and return the path of the report."""
        self._facts |= scores
        self._write()
        if self._events is not None:
            self._events.close()
        return self._folder / PAGE

    def _write(self) -> None:
        """Write log and report. Raises TrainingError if they cannot be saved."""
        log = "".join(json.dumps(entry) + "\n" for entry in self._entries)
        page = report_page(self._title, self._facts, self._entries)
        for name, text in ((LOG, log), (PAGE, page)):
            try:
                replace_bytes(self._folder / name, text.encode())
            except OSError as error:
                raise TrainingError(f"{self._folder / name}: could not be saved ({error}); free some space") from error
