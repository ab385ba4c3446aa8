"""Every format reads every sample with damage of any kind: no error, no line unaccounted for."""

import random
from pathlib import Path

import pytest

from charbot.errors import ScriptError
from charbot.scripts.decoding import decode
from charbot.scripts.formats import FORMATS
from tests.charbot.scripts.formats.helpers import check_account, check_read

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[4] / "scripts_data" / "samples").rglob("*.*"))]
SCRAPS = [b"(", b")", b"[", b"]", b"<", b">", b"{", b"}", b'"', b":", b",", b"\\", b"\n\n", b"\r", b"\t", b"    ", b"\x00",
          b"\xff", b"\x85", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xa8", b"<c3>", b"<b>", b"<!--", b"<![a[", b"&#x",
          b'{"a":', b"1e999", b"/*", b"[[", b"INT. ", b"NED", b"Ned: ", b"00:00:01,000 --> 00:00:02,000",
          b'<Paragraph Type="Character">']  # fmt: skip
BY_RECORD = {"csv", "json", "chat-csv", "chat-json", "chat-html", "daily-dialog", "fdx", "episode-html", "one-character"}
"""Formats whose records need not begin and end with a line."""


def damaged(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(SAMPLES))
    for _ in range(chance.choice([1, 2, 4, 10, 40])):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at:at] = chance.choice(SCRAPS) * chance.choice([1, 1, 2, 10, 1_000])
            case 1:
                del data[at : at + chance.randrange(60)]
            case 2:
                data[at:at] = data[(start := chance.randrange(len(data) + 1)) : start + 400]
            case 3:
                data[at : at + 1] = chance.randbytes(chance.randrange(8))
            case 4:
                data[at:at] = (other := chance.choice(SAMPLES))[(start := chance.randrange(len(other))) : start + 800]
            case 5 if at > 200:
                del data[at:]
    return bytes(data[:100_000])


@pytest.mark.parametrize("seed", range(200))
def test_damaged_samples_are_read(seed: int) -> None:
    try:
        text = decode(damaged(random.Random(seed)))
    except ScriptError:
        return
    for format_ in FORMATS:
        (check_read if format_.name in BY_RECORD else check_account)(format_, text)
