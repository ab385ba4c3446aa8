"""The rooms of the project: who may import whom, and what importing must not do."""

import ast
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    "errors", "malloc", "sharing", "text", "english", "storage", "yamlfile", "config", "dialogue", "jsonlines", "scripts",
    "corpus", "tokens", "models", "personas", "speakers", "generation", "testing", "evaluation", "cli",
)  # fmt: skip
"""The packages and modules of charbot, ground floor first: each imports only what stands before it."""

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


def _modules() -> dict[str, Path]:
    """All modules, by their dotted names."""
    found = {}
    for room in FORBIDDEN:
        for path in (ROOT / room).rglob("*.py"):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def _imports(path: Path, modules: Collection[str]) -> set[str]:
    """The modules among these that a module imports, wherever it does, but for types alone."""
    tree = ast.parse(path.read_text("utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = {f"{node.module}.{alias.name}" for alias in node.names}
            names.update(within & set(modules) or {node.module})
    return names & set(modules)


def test_charbot_imports_down_its_layers_alone() -> None:
    modules = _modules()
    for name, path in modules.items():
        _, _, layer = name.partition(".")
        layer = layer.partition(".")[0]
        if not name.startswith("charbot.") or layer == "__main__":
            continue
        assert layer in LAYERS, f"{name}: which layer is it on?"
        for imported in _imports(path, modules):
            below = imported.removeprefix("charbot.").partition(".")[0]
            if imported.startswith("charbot.") and layer != "cli":
                assert LAYERS.index(below) <= LAYERS.index(layer), f"{name} imports {imported}"


def test_there_is_no_circle_of_imports() -> None:
    modules = _modules()
    graph = {name: _imports(path, modules) - {name} for name, path in modules.items()}
    while leaves := [name for name, imported in graph.items() if not imported & graph.keys()]:
        for name in leaves:
            del graph[name]
    # What is left imports one another, or imports those who do.
    circle = {name for name in graph if any(name in imported for imported in graph.values())}
    assert not circle


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        if ROOT / "charbot" / "cli" not in path.parents:
            assert not _imported(path) & FORBIDDEN[room], path


@pytest.mark.parametrize(
    "module", ["charbot", "charbot.cli", "charbot.generation.persona", "bots.terminal.chat", "charbot.scripts.reader"]
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


def test_modules_and_functions_are_short() -> None:
    for name, path in _modules().items():
        text = path.read_text("utf-8")
        assert text.count("\n") <= 400, name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{name}: {node.name}"
