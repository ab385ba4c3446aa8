"""What the tests of all formats share."""

from dataclasses import replace

from charbot.scripts.assembly import Transcript
from charbot.scripts.formats import Format, read
from charbot.scripts.line import Turn


def found(format_: Format, text: str) -> list[Turn]:
    """The turns of a text, their source lines apart."""
    return [replace(turn, source=1) for turn in read(format_, text).turns]


def said(format_: Format, text: str) -> list[tuple[int, str, str]]:
    return [(turn.scene, turn.speaker, turn.text) for turn in read(format_, text).turns]


def check_read(format_: Format, text: str) -> Transcript:
    """The confidence is one, and every turn says something."""
    assert 0 <= format_.confidence(text) <= 1
    source = read(format_, text)
    assert all(turn.text for turn in source.turns)
    return source


def check_account(format_: Format, text: str) -> None:
    """Every line that is not empty is kept or left out, once."""
    source = check_read(format_, text)
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    marked = {tag.line for tag in format_.tags(text) if tag.text}
    assert marked <= set(range(1, len(text.splitlines()) + 1))
    assert source.kept + len(source.omissions) == len(lines)
    assert all(omission.reason for omission in source.omissions)
    assert all(turn.source in lines for turn in source.turns)
