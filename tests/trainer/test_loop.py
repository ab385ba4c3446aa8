import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import trainer.loop
from charbot.config import Hyperparameters
from charbot.corpus.examples import full_example
from charbot.dialogue import Utterance
from charbot.errors import TrainingError
from charbot.models.language_model import Cell, LanguageModel
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import Vocabulary
from tests.conftest import SAYINGS, tiny_model
from trainer.checkpoint import Epoch
from trainer.distributed import SINGLE_PROCESS, Distributed
from trainer.loop import CheckpointPlan, Validation, lr_multiplier, train
from trainer.stream import BatchStream

SETTINGS = Hyperparameters(epochs=3, batch=4, window=16, learning_rate=5e-3, warmup_steps=4, dropout=0.2, sample=8)


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


class Callback:
    """Counts steps, and dies at one of them if asked to."""

    def __init__(self, die_at: int | None = None) -> None:
        self.die_at = die_at
        self.begun: list[tuple[int, int]] = []
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.epochs: list[Epoch] = []

    def on_start(self, done: int, total: int) -> None:
        self.begun.append((done, total))

    def on_step(self, done: int, tokens: int, loss: float) -> None:
        self.steps.append(done)
        self.losses.append(loss)
        if done == self.die_at:
            raise Killed

    def on_epoch(self, done: int, epoch: Epoch) -> None:
        assert self.steps[-1] == done
        self.epochs.append(epoch)


def examined(*bits: float) -> Callable[[], Validation]:
    """Finds these bits on the validation split, epoch by epoch; the last for good."""
    left = list(bits)
    return lambda: Validation(left.pop(0) if len(left) > 1 else left[0], {"0.5": "Tea?"})


def _fit(
    vocabulary: Vocabulary,
    path: Path,
    callback: Callback | None = None,
    settings: Hyperparameters = SETTINGS,
    minutes: float = 0.0,
    validate: Callable[[], Validation] | None = None,
    cell: Cell = "lstm",
    distributed: Distributed = SINGLE_PROCESS,
    bf16: bool | None = False,
) -> tuple[LanguageModel, list[Epoch]]:
    scenes = [full_example([Utterance(name, text) for name, texts in SAYINGS.items() for text in texts])] * 2
    stream = BatchStream(tokenizer_for(vocabulary), scenes, batch=4, window=16, anonymous=0.2, seed=1)
    model = tiny_model(vocabulary, cell=cell)
    model.dropout = settings.dropout
    plan = CheckpointPlan(path, minutes, f"{settings}")
    history = train(
        model, model, [stream] * settings.epochs, settings,
        validate=validate or examined(float("nan")), callbacks=[callback or Callback()], checkpoint=plan, bf16=bf16,
        distributed=distributed,
    )  # fmt: skip
    return model, history


def _weights(model: LanguageModel) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_a_fit_learns(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    callback = Callback()
    settings = dataclasses.replace(SETTINGS, epochs=12)
    _, history = _fit(vocabularies["char"], tmp_path / "c", callback, settings, minutes=60)
    assert sum(callback.losses[-5:]) < 0.8 * sum(callback.losses[:5])
    assert [epoch.number for epoch in history] == list(range(1, 13))
    assert callback.steps == list(range(1, len(callback.steps) + 1))


@pytest.mark.parametrize(("unit", "cell"), [("char", "lstm"), ("word", "lstm"), ("char", "gru"), ("word", "rnn")])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.99])
def test_a_killed_fit_goes_on_as_if_nothing_had_happened(
    unit: str, cell: Cell, share: float, vocabularies: dict[str, Vocabulary], tmp_path: Path
) -> None:
    whole_run = Callback()
    expected, history = _fit(vocabularies[unit], tmp_path / "whole", whole_run, cell=cell)
    die_at = max(1, int(share * len(whole_run.steps)))
    with pytest.raises(Killed):
        _fit(vocabularies[unit], tmp_path / "killed", Callback(die_at), cell=cell)
    torch.manual_seed(99)
    resumed = Callback()
    model, resumed_history = _fit(vocabularies[unit], tmp_path / "killed", resumed, cell=cell)
    for name, weight in _weights(expected).items():
        assert torch.equal(weight, dict(model.named_parameters())[name]), name
    assert 0 < len(resumed.steps) < len(whole_run.steps) or die_at == 1
    assert [epoch.loss for epoch in resumed_history] == [epoch.loss for epoch in history]


def test_between_checkpoints_little_is_lost(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    # With none due in time, the last epoch's end is where a fit goes on.
    whole_run = Callback()
    expected, _ = _fit(vocabularies["char"], tmp_path / "whole", whole_run, minutes=60)
    epoch = len(whole_run.steps) // 3
    with pytest.raises(Killed):
        _fit(vocabularies["char"], tmp_path / "killed", Callback(epoch + 3), minutes=60)
    resumed = Callback()
    model, _ = _fit(vocabularies["char"], tmp_path / "killed", resumed, minutes=60)
    assert resumed.steps[0] == epoch + 1
    assert torch.equal(model.bias, expected.bias)


def test_a_finished_fit_is_not_fitted_again(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    model, history = _fit(vocabularies["char"], tmp_path / "c", validate=examined(3.0, 2.0, 1.0))
    callback = Callback()
    again, history_again = _fit(vocabularies["char"], tmp_path / "c", callback)
    assert callback.steps == []
    assert history_again == history
    assert torch.equal(again.bias, model.bias)


def test_the_best_epoch_is_kept(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, epochs=4)
    callback = Callback()
    worse, _ = _fit(vocabularies["char"], tmp_path / "a", callback, settings, validate=examined(3.0, 2.0, 2.5, 2.25))
    with pytest.raises(Killed):
        # Killed in the third epoch, it still knows the second.
        _fit(vocabularies["char"], tmp_path / "b", Callback(len(callback.steps) // 2 + 1), settings, validate=examined(3.0, 2.0))
    resumed, history = _fit(vocabularies["char"], tmp_path / "b", settings=settings, validate=examined(2.5, 2.25))
    assert [epoch.bits for epoch in history] == [3.0, 2.0, 2.5, 2.25]
    assert torch.equal(worse.bias, resumed.bias)
    last, _ = _fit(vocabularies["char"], tmp_path / "c", settings=settings, validate=examined(3.0, 2.5, 2.25, 2.0))
    assert not torch.equal(worse.bias, last.bias)


@pytest.mark.parametrize(
    ("bits", "epochs"),
    [((2.0, 2.5, 2.5, 1.0), 3), ((2.0, 2.5, 1.9, 1.9, 1.9, 1.0), 5), ((3.0, 2.9, 2.8, 2.7, 2.6, 2.5), 6), ((float("nan"),), 6)],
)
def test_a_fit_ends_where_nothing_is_gained(
    bits: tuple[float, ...], epochs: int, vocabularies: dict[str, Vocabulary], tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, epochs=6, patience=2)
    callback = Callback()
    _, history = _fit(vocabularies["char"], tmp_path / "c", callback, settings, validate=examined(*bits))
    assert len(history) == epochs
    again = Callback()
    _fit(vocabularies["char"], tmp_path / "c", again, settings, validate=examined(*bits))
    assert again.steps == []


def test_watchers_are_told_where_a_fit_begins(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    callback = Callback(5)
    with pytest.raises(Killed):
        _fit(vocabularies["char"], tmp_path / "c", callback)
    again = Callback()
    _fit(vocabularies["char"], tmp_path / "c", again)
    ((zero, total),) = callback.begun
    ((done, again_total),) = again.begun
    assert (zero, total) == (0, again_total)
    assert again.steps == list(range(done + 1, total + 1))
    assert [epoch.samples for epoch in again.epochs] == [{"0.5": "Tea?"}] * 3


def test_a_disk_too_small_is_told_before_the_start(
    vocabularies: dict[str, Vocabulary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: shutil._ntuple_diskusage(100, 99, 1))
    callback = Callback()
    with pytest.raises(TrainingError, match="MB of disk for its checkpoints"):
        _fit(vocabularies["char"], tmp_path / "deep" / "c", callback)
    assert callback.steps == []


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError("CUDA out of memory")],
)
def test_too_little_memory_is_explained(
    error: Exception, vocabularies: dict[str, Vocabulary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*args: Tensor) -> Tensor:
        raise error

    monkeypatch.setattr("trainer.loop.linear_cross_entropy", too_large)
    with pytest.raises(TrainingError, match=r"memory ran out.*`batch` \(now 4\)"):
        _fit(vocabularies["char"], tmp_path / "c")


def test_another_fits_checkpoint_is_refused(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    _fit(vocabularies["char"], tmp_path / "c")
    with pytest.raises(TrainingError, match="other settings or scripts"):
        _fit(vocabularies["char"], tmp_path / "c", settings=dataclasses.replace(SETTINGS, epochs=4))


def test_another_number_of_processes_is_refused(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    with pytest.raises(Killed):
        _fit(vocabularies["char"], tmp_path / "c", Callback(5))
    with pytest.raises(TrainingError, match="was saved by 1 processes, on a processor"):
        _fit(vocabularies["char"], tmp_path / "c", distributed=Distributed(1, 2))


def test_a_damaged_checkpoint_is_named(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="c: this checkpoint is damaged"):
        _fit(vocabularies["char"], tmp_path / "c")


def test_a_full_disk_keeps_the_checkpoint_before(
    vocabularies: dict[str, Vocabulary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Killed):
        _fit(vocabularies["char"], tmp_path / "c", Callback(5))
    before = (tmp_path / "c").read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.checkpoint.save_file", full)
    with pytest.raises(TrainingError, match="No space left"):
        _fit(vocabularies["char"], tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_divergence_is_explained(vocabularies: dict[str, Vocabulary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*args: Tensor) -> Tensor:
        return torch.tensor(float("nan"), requires_grad=True)

    monkeypatch.setattr("trainer.loop.linear_cross_entropy", nowhere)
    with pytest.raises(TrainingError, match=r"nan at step 1.*learning_rate"):
        _fit(vocabularies["char"], tmp_path / "c")


def test_a_rate_that_blows_the_model_up_is_explained(vocabularies: dict[str, Vocabulary], tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, learning_rate=1.0, warmup_steps=0, clip=1e3, epochs=20)
    with pytest.raises(TrainingError, match=r"training diverged. Lower `learning_rate` \(now 1\)"):
        _fit(vocabularies["char"], tmp_path / "c", settings=settings)


def test_the_rate_warms_up_and_cools_down() -> None:
    rates = [lr_multiplier(step, 100, 10) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0.01)
    # A short fit warms up for a tenth of it.
    assert lr_multiplier(4, 50, 200) == 1.0
    assert lr_multiplier(3, 50, 200) < 1.0


def test_a_fit_goes_on_in_the_precision_it_was_begun_in(
    vocabularies: dict[str, Vocabulary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer.loop, "bf16_pays", lambda device: False)
    expected, _ = _fit(vocabularies["word"], tmp_path / "whole", bf16=None)
    with pytest.raises(Killed):
        _fit(vocabularies["word"], tmp_path / "killed", Callback(7), bf16=None)
    monkeypatch.setattr(trainer.loop, "bf16_pays", lambda device: True)
    with pytest.raises(TrainingError, match="begun with `precision: fp32`"):
        _fit(vocabularies["word"], tmp_path / "killed", bf16=True)
    model, _ = _fit(vocabularies["word"], tmp_path / "killed", bf16=None)
    assert all(torch.equal(weight, _weights(model)[name]) for name, weight in _weights(expected).items())
