"""Write the map of modules in docs/architecture.md from the first lines of the modules' docstrings.

    python docs/build_architecture.py

The text above the marker in that file is written by hand and stays as it is.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
MARKER = "<!-- docs/build_architecture.py writes everything below this line: do not edit it by hand. -->\n"
FLOW = ("scripts", "corpus", "tokens", "models", "speakers", "personas", "generation", "evaluation", "cli")
"""The packages of charbot in the order of the data flow."""


def build() -> str:
    """Return the page as it should be."""
    by_hand, marker, _ = PAGE.read_text("utf-8").partition(MARKER)
    if not marker:
        raise SystemExit(f"{PAGE} lacks the line {MARKER.strip()}")
    return "\n".join((by_hand + marker, *_sections()))


def _sections() -> Iterator[str]:
    charbot = ROOT / "charbot"
    top = sorted(charbot.glob("*.py"), key=lambda path: (path.name != "dialogue.py", path.name))
    yield _section("Dialogue, and what every package uses", "", top)
    others = {path.parent.name for path in charbot.glob("*/__init__.py")} - set(FLOW)
    for folder in (*(charbot / name for name in (*FLOW, *sorted(others))), ROOT / "trainer", ROOT / "bots"):
        modules = sorted(folder.rglob("*.py"), key=lambda path: (path.parent.parts, path.name))
        modules.remove(folder / "__init__.py")
        yield _section(f"`{folder.relative_to(ROOT).as_posix()}/`", summary(folder / "__init__.py") + "\n\n", modules)


def _section(title: str, about: str, modules: list[Path]) -> str:
    rows = "".join(f"| `{_name(path)}` | {summary(path)} |\n" for path in modules)
    return f"### {title}\n\n{about}| module | |\n|---|---|\n{rows}"


def _name(path: Path) -> str:
    """Return a module's path, or its folder if it is a package."""
    return path.relative_to(ROOT).as_posix().removesuffix("__init__.py")


def summary(path: Path) -> str:
    """Return the first line of a module's docstring, with the lines after it that complete the sentence."""
    lines: list[str] = []
    for line in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0].splitlines():
        lines.append(line.strip())
        if lines[-1].endswith((".", "!", "?", ":")):
            break
    text = " ".join(lines).removesuffix(":").replace("|", "\\|")
    # Tags in the text would be HTML, but for those in backquotes.
    return "`".join(part if i % 2 else part.replace("<", "&lt;") for i, part in enumerate(text.split("`")))


if __name__ == "__main__":
    PAGE.write_text(build(), "utf-8")
