import subprocess
import sys
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


def test_nobody_looks_for_garbage_at_the_end() -> None:
    # What is registered first is called last.
    program = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0))"
    program += "; from charbot.cli.options import set_torch_environment; set_torch_environment()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
