"""Reads YAML that users wrote; every problem becomes a ValueError with a one-line message."""

from collections.abc import Hashable
from pathlib import Path
from reprlib import Repr
from typing import Any

import yaml

from charbot.storage import read_bounded

_BYTES = 1_000_000
"""Maximum bytes of a file."""

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 80, 80


class _Loader(yaml.SafeLoader):
    """Refuses a key given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        scalars = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        names = [(key.tag, key.value) for key in scalars]
        for number, key in enumerate(scalars):
            if names[number] in names[:number]:
                raise yaml.constructor.ConstructorError(problem=f"`{key.value}` is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file. Raises ValueError, with the line number if it is known."""
    try:
        text = read_bounded(path, _BYTES).decode("utf-8")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text") from error
    return parse_yaml(text)


def shown(value: Any) -> str:
    """Return a value as part of a message, shortened: by its aliases, a short file can hold a value of gigabytes."""
    try:
        return _SHORT.repr(value)
    except ValueError:
        # Python refuses to write whole numbers of thousands of digits, which hexadecimal ones can have.
        return "a number too long to write"


def parse_yaml(text: str) -> Any:
    """Return the content of YAML text. Raises ValueError, with the line number if it is known."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{where}{error.problem or 'is not YAML'}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        # An invalid date, or a value that does not match its tag (`!!int ""`).
        raise ValueError(f"holds what is no value: {' '.join(str(error).split())}") from error
