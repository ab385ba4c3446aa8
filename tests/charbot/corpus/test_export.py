import csv
import io
import json

from charbot.corpus.export import export_chat, export_lines
from charbot.dialogue import Utterance
from charbot.scripts.formats import FORMATS, read
from charbot.scripts.line import Line
from charbot.scripts.reader import detect

LINES = [
    Line("Puddle Lane", "S01E01", 0, 0, "Ned", 'He said, "café".', ("waves", "sits")),
    Line("Puddle Lane", "S01E01", 1, 1, "Olga", "No."),
]


def _exported(kind: str) -> str:
    out = io.StringIO()
    export_lines(LINES, kind, out)
    return out.getvalue()


def test_json_lines_hold_everything() -> None:
    first, second = map(json.loads, _exported("jsonl").splitlines())
    assert first == {
        "show": "Puddle Lane", "episode": "S01E01", "scene": 0, "speaker": "Ned", "text": 'He said, "café".',
        "directions": ["waves", "sits"],
    }  # fmt: skip
    assert second["directions"] == []


def test_csv_has_a_header() -> None:
    header, first, _ = csv.reader(io.StringIO(_exported("csv"), newline=""))
    assert dict(zip(header, first, strict=True))["line"] == 'He said, "café".'


def test_charbot_reads_what_it_exports() -> None:
    for kind in ("jsonl", "csv"):
        text = _exported(kind) * (3 if kind == "jsonl" else 1)
        format_ = detect(text)
        assert format_ in FORMATS
        turns = read(format_, text).turns[:2]
        assert [(turn.episode, turn.speaker, turn.text) for turn in turns] == [
            (line.episode, line.speaker, line.text) for line in LINES
        ]


def test_chat_messages_alternate_and_end_with_the_character() -> None:
    scene = [Utterance(*turn) for turn in [("Ned", "a"), ("Olga", "b"), ("Tuck", "c"), ("Ned", "d"), ("Ned", "e"), ("Olga", "f")]]
    out = io.StringIO()
    export_chat([scene, [Utterance("Olga", "alone")], [Utterance("Ned", "alone")]], "Ned", out)
    (only,) = map(json.loads, out.getvalue().splitlines())
    assert only["messages"] == [
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "Olga: b\nTuck: c"},
        {"role": "assistant", "content": "d\ne"},
    ]
