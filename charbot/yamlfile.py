"""YAML that people wrote: whatever may be wrong with it is one error, in one line."""

from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """What a YAML file holds. Raises ValueError, its text what is wrong, with the line where that is known."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text") from error
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """What YAML says. Raises ValueError, its text what is wrong, with the line where that is known."""
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{where}{error.problem or 'is not YAML'}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        # A date that is none, or a tag (`!!int ""`) that its value does not fit.
        raise ValueError(f"holds what is no value: {' '.join(str(error).split())}") from error
