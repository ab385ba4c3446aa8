"""Files that the terminal keeps between runs, in the user's state folder: the history of messages, and the last persona.

They are optional: where the folder cannot be read or written, charbot runs without it.
"""

from contextlib import suppress
from pathlib import Path

import platformdirs
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from charbot.storage import replace_bytes


class _History(FileHistory):
    """A history that continues in memory when its file can no longer be written."""

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(string)


def state_folder() -> Path:
    """Return the folder for files that charbot keeps between runs."""
    return Path(platformdirs.user_state_dir("charbot"))


def private_folder(folder: Path) -> Path:
    """Create a folder, closed to other users, and return it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def history() -> History:
    """Return the history of what the user typed, limited to this run where its file cannot be used."""
    try:
        path = private_folder(state_folder()) / "history"
        path.touch(mode=0o600)
        with path.open("r+b"):
            return _History(str(path))
    except OSError:
        return InMemoryHistory()


def save_last_persona(persona: str) -> None:
    """Save the name of the persona that was chosen."""
    with suppress(OSError, ValueError):
        replace_bytes(private_folder(state_folder()) / "persona", persona.encode(), 0o600)


def last_persona() -> str | None:
    """Return the name of the persona chosen last, if any."""
    try:
        return (state_folder() / "persona").read_text("utf-8")
    except (OSError, ValueError):
        return None
