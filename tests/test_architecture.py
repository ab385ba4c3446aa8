"""The rooms of the project: who may import whom, and what importing must not do."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"charbot": {"trainer", "bots"}, "trainer": {"bots"}, "bots": {"trainer"}}


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        if ROOT / "charbot" / "cli" not in path.parents:
            assert not _imported(path) & FORBIDDEN[room], path


@pytest.mark.parametrize(
    "module", ["charbot", "charbot.cli", "charbot.generation.persona", "bots.terminal.chat", "charbot.scripts.reading"]
)
def test_importing_leaves_torch_alone(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_chat_is_there_before_anything_heavy() -> None:
    code = "import sys, bots.terminal.commands; sys.exit(bool({'torch', 'numpy', 'pandas', 'lxml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_torch_is_imported_where_a_model_is_loaded_alone() -> None:
    code = (
        "import sys\nfrom charbot.generation.conversation import Conversation\n"
        "from charbot.generation.batching import BatchScheduler\n"
        "with BatchScheduler() as scheduler: error = scheduler.submit(None, Conversation(), cancelled=lambda: True).exception()\n"
        "sys.exit('torch' in sys.modules or type(error).__name__ != 'Cancelled')"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys\nfrom charbot.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(bool({'torch', 'pandas', 'numpy', 'rich', 'prompt_toolkit', 'yaml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_there_are_no_pickles() -> None:
    for room in FORBIDDEN:
        for path in (ROOT / room).rglob("*.py"):
            assert not _imported(path) & {"pickle", "dill", "joblib", "shelve"}, path
