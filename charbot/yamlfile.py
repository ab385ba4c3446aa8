"""Reads YAML that users wrote; every problem becomes a ValueError with a one-line message."""

from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file. Raises ValueError, with the line number if it is known."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text") from error
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """Return the content of YAML text. Raises ValueError, with the line number if it is known."""
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{where}{error.problem or 'is not YAML'}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        # An invalid date, or a value that does not match its tag (`!!int ""`).
        raise ValueError(f"holds what is no value: {' '.join(str(error).split())}") from error
