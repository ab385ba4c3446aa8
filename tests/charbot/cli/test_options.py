from pathlib import Path
from unittest.mock import MagicMock

from charbot.cli.options import read_shown

DUMP = "A Title\n" + "NED\nHello.\nOLGA\nHello, Ned.\n" * 3


def test_the_console_shows_which_file_is_being_read(tmp_path: Path) -> None:
    names = ["one.txt", "two\x1b.txt"]
    for i, name in enumerate(names):
        (tmp_path / name).write_text(f"{DUMP}NED\nNumber {i}.\n")
    console = MagicMock()
    read_shown([tmp_path], console)
    updates = console.status.return_value.__enter__.return_value.update.call_args_list
    assert [str(call.args[0]) for call in updates] == ["Reading one.txt", "Reading two\\x1b.txt"]
