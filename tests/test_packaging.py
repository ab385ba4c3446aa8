"""The wheel has what it needs; `make dist` builds and tries it."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


@pytest.mark.parametrize("package", ["charbot", "trainer", "bots", "scripts_data"])
def test_the_wheel_has_every_file_of_a_package(package: str) -> None:
    assert {package, f"{package}*"} & set(SETUPTOOLS["packages"]["find"]["include"])
    data = {path for pattern in SETUPTOOLS["package-data"].get(package, []) for path in (ROOT / package).glob(pattern)}
    only_here = {ROOT / "scripts_data" / "README.md", *(ROOT / "scripts_data" / "samples").rglob("*")}
    for path in (ROOT / package).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path not in data | only_here:
            assert path.suffix == ".py", path
            assert (path.parent / "__init__.py").exists(), path
