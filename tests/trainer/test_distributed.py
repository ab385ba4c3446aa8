"""Several processes that fit one model are one process that does."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from trainer.distributed import SINGLE_PROCESS, Distributed

pytestmark = pytest.mark.slow

SCRIPT = """
import os
import sys
from pathlib import Path
import torch
from charbot.corpus.examples import full_example
from charbot.dialogue import Utterance
from charbot.config import Hyperparameters
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import build_vocabulary
from safetensors.torch import save_file
from tests.conftest import SAYINGS, tiny_model
from tests.trainer.test_loop import Callback, Killed, examined
from trainer.loop import CheckpointPlan, train
from trainer.stream import BatchStream
from trainer.distributed import Distributed

out, unit, dropout, die_at = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(1)
distributed = Distributed.join()
texts = [text for texts in SAYINGS.values() for text in texts]
vocabulary = build_vocabulary(unit, [(text, 9) for text in texts], list(SAYINGS), min_characters=5, min_words=5)
settings = Hyperparameters(epochs=2, batch=4, window=16, learning_rate=5e-3, warmup_steps=4, dropout=dropout, sample=0)
scenes = [full_example([Utterance(name, text) for name, texts in SAYINGS.items() for text in texts])] * 2
stream = BatchStream(tokenizer_for(vocabulary), scenes, batch=4, window=16, anonymous=0.2, seed=1)
model = tiny_model(vocabulary)
model.dropout = dropout
callback = Callback(die_at or None)
try:
    history = train(
        model, model, [stream] * 2, settings, validate=examined(float("nan")), callbacks=[callback],
        checkpoint=CheckpointPlan(out / "checkpoint", 0.0, "same"), bf16=False, distributed=distributed,
    )
except Killed:
    sys.exit(9)
save_file({name: p.detach().clone() for name, p in model.named_parameters()}, out / f"weights-{distributed.rank}")
if distributed.is_main:
    print([epoch.loss for epoch in history], flush=True)
distributed.shutdown()
# All is done: what gloo's threads do in a process that is on its way out is not what is tested.
os._exit(0)
"""


def run(out: Path, processes: int, unit: str = "char", dropout: float = 0.0, die_at: int = 0) -> tuple[int, str]:
    out.mkdir(exist_ok=True)
    script = out / "fit.py"
    script.write_text(textwrap.dedent(SCRIPT))
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    done = subprocess.run(
        [sys.executable, *several, str(script), str(out), unit, str(dropout), str(die_at)],
        capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0 or die_at, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("unit", ["char", "word"])
def test_two_processes_fit_what_one_does(unit: str, tmp_path: Path) -> None:
    _, alone = run(tmp_path / "one", 1, unit)
    _, together = run(tmp_path / "two", 2, unit)
    assert json.loads(together) == pytest.approx(json.loads(alone), rel=1e-4)
    expected = load_file(tmp_path / "one" / "weights-0")
    first, second = (load_file(tmp_path / "two" / f"weights-{rank}") for rank in range(2))
    for name, weight in expected.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], weight, rtol=1e-3, atol=1e-4)


def test_killed_processes_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    run(tmp_path / "whole", 2, dropout=0.3)
    code, _ = run(tmp_path / "killed", 2, dropout=0.3, die_at=9)
    assert code != 0
    assert not (tmp_path / "killed" / "weights-0").exists()
    run(tmp_path / "killed", 2, dropout=0.3)
    expected, found = (load_file(tmp_path / name / "weights-1") for name in ("whole", "killed"))
    for name, weight in expected.items():
        assert torch.equal(found[name], weight), name


def test_shares_make_up_the_tracks() -> None:
    tracks = torch.arange(24).view(2, 6, 2)
    shares = [Distributed(rank, 3).shard(tracks) for rank in range(3)]
    assert [share.shape for share in shares] == [(2, 2, 2)] * 3
    assert torch.equal(torch.stack(shares, 2).flatten(1, 2), tracks)
    assert torch.equal(SINGLE_PROCESS.all_gather(tracks), tracks)
