import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.json_records import JsonRecords
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_read, found, said

SAMPLES = Path(__file__).parents[4] / "scripts_data" / "samples" / "json"


def turns(*documents: Any) -> list[tuple[int, str, str]]:
    return said(JsonRecords(), "\n".join(map(json.dumps, documents)))


@pytest.mark.parametrize(
    "record",
    [
        {"speaker": "NED", "text": "Hello."},
        {"Character": "NED", "Line": "Hello."},
        {"speakers": ["NED"], "transcript": "Hello.", "tokens": [["Hello", "."]]},
        {"speaker": {"id": "NED", "meta": {}}, "text": "Hello."},
        {"speaker": {"name": "NED"}, "utterance": "Hello."},
        {"speaker": {"id": 7, "name": "NED"}, "utterance": "Hello."},
        {"speaker": "NED", "text": "H<i>e</i>llo&#46;".replace("<i>e</i>", "e")},
        {"line": 7, "text": "Hello.", "name": "NED"},
        {"role": "NED", "content": "Hello."},
    ],
)
def test_keys_have_many_names(record: dict[str, Any]) -> None:
    assert turns(record) == turns([record]) == turns({"a": {"b": [[record]]}}) == [(0, "NED", "Hello.")]


def test_keys_name_episodes_and_scenes() -> None:
    line = {"speaker": "NED", "text": "Hello."}
    show = {
        "S01E02": {"scene1": [line], "scene2": [line]},
        "1x03": [line],
        "Season 2": {"Episode 1": {"scenes": [[line], [line]]}},
    }
    assert [(turn.episode, turn.scene) for turn in found(JsonRecords(), json.dumps(show))] == [
        ("S01E02", 0), ("S01E02", 1), ("S01E03", 0), ("S02E01", 0), ("S02E01", 1)
    ]  # fmt: skip


def test_text_with_directions_beside_it_has_no_markup() -> None:
    line = {"speaker": "NED", "text": "Type &amp; and <b>."}
    assert turns(line) == [(0, "NED", "Type & and.")]
    assert turns({**line, "directions": []}) == [(0, "NED", "Type &amp; and <b>.")]


def test_people_speak_together() -> None:
    assert turns({"speakers": ["NED", "OLGA"], "transcript": "Hello."}) == [(0, "NED and OLGA", "Hello.")]


@pytest.mark.parametrize("speaker", [[], "", " ", [""], {"id": ""}, [7]])
def test_text_without_a_speaker_is_not_attributed_to_the_file(speaker: object) -> None:
    source = read(JsonRecords(), json.dumps([{"speaker": speaker, "text": "(It rains.)"}, {"speaker": "NED", "text": "Hello."}]))
    assert [(turn.speaker, turn.text) for turn in source.turns if turn.speaker.strip()] == [("NED", "Hello.")]
    assert not [turn for turn in source.turns if not turn.speaker.strip()]


@pytest.mark.parametrize("speaker", [None, 7, True, {"id": 7}])
def test_a_value_that_is_no_name_has_no_turn(speaker: object) -> None:
    assert turns({"speaker": speaker, "text": "Hello."}) == []


def test_scenes_and_episodes() -> None:
    def line(text: str) -> dict[str, str]:
        return {"speaker": "NED", "text": text}

    show = {
        "season": 1,
        "episodes": [
            {"episode": 1, "scenes": [{"scene": 1, "lines": [line("a"), line("b")]}, {"scene": 2, "lines": [line("c")]}]},
            {"episode": 2, "scenes": [{"scene": 1, "lines": [line("d")]}]},
        ],
    }
    turns_ = found(JsonRecords(), json.dumps(show))
    assert [(turn.episode, turn.scene, turn.text) for turn in turns_] == [
        ("S01E01", 0, "a"), ("S01E01", 0, "b"), ("S01E01", 1, "c"), ("S01E02", 0, "d")
    ]  # fmt: skip


def test_an_id_may_tell_the_episode() -> None:
    records = [{"id": f"s02_e{episode}_c01_u1", "speaker": "NED", "text": "Hello."} for episode in ("03", "17")]
    assert [turn.episode for turn in found(JsonRecords(), "\n".join(map(json.dumps, records)))] == ["S02E03", "S02E17"]


@pytest.mark.parametrize("number", ["9" * 5_000, "1" * 10])
def test_a_number_of_any_length_is_survived(number: str) -> None:
    assert turns({"id": f"s{number}_e{number}", "season": number, "episode": number, "speaker": "NED", "text": "Hi."}) == [
        (0, "NED", "Hi.")
    ]
    assert said(JsonRecords(), f'{{"season": {number}, "speaker": "NED", "text": "Hi."}}') in ([(0, "NED", "Hi.")], [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_json_lines_are_accounted_for(end: str) -> None:
    lines = ['{"speaker": "NED", "text": "One."}', "{oh", "", '{"a": 1}', "7", "[]", '{"speaker": "NED", "text": "[nods]"}']
    source = read(JsonRecords(), end.join([*lines, '{"speaker": "OLGA", "text": "Two."}']))
    assert [(turn.text, turn.source) for turn in source.turns] == [("One.", 1), ("Two.", 8)]
    assert {omission.line: omission.reason for omission in source.omissions} == {
        2: "unreadable record", 4: "no dialogue", 5: "unreadable record", 6: "no dialogue", 7: "stage direction"
    }  # fmt: skip
    assert source.kept == 2


def test_rare_line_separators_may_be_part_of_speech() -> None:
    records = [{"speaker": "NED", "text": f"One{end}two."} for end in ("\u2028", "\x85")]
    text = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    assert [(turn.text, turn.source) for turn in read(JsonRecords(), text).turns] == [("One two.", 1), ("One two.", 3)]


def test_the_tree_sample() -> None:
    turns_ = found(JsonRecords(), (SAMPLES / "the_ledge.json").read_text("utf-8"))
    assert len(turns_) == 27
    assert Counter((turn.episode, turn.scene) for turn in turns_) == {("S01E01", 0): 11, ("S01E01", 1): 7, ("S01E02", 0): 9}
    assert Turn(0, "Clive and Brenda", "Where?", (), 1, "S01E01") in turns_
    assert turns_[-1] == Turn(0, "Little Keith", "It is a chip this time! It is, it is! It's a leaf.", ("flies",), 1, "S01E02")


def test_the_lines_sample() -> None:
    turns_ = read(JsonRecords(), (SAMPLES / "utterances.jsonl").read_text("utf-8")).turns
    assert [turn.source for turn in turns_] == list(range(1, 27))
    assert Counter((turn.episode, turn.scene) for turn in turns_) == {("S01E01", 0): 11, ("S01E01", 1): 6, ("S01E02", 0): 9}
    assert turns_[16].text == '"For decorative use only."'
    assert turns_[-1].directions == ("sighs",)


@pytest.mark.parametrize("name", ["the_ledge.json", "utterances.jsonl"])
def test_confidence_is_high_in_samples(name: str) -> None:
    assert JsonRecords().confidence((SAMPLES / name).read_text("utf-8")) > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[Scene: a roof]\nNED: Hello.\n" * 20,
        '[{"name": "a", "id": 1}]',
        "{" * 9,
        "7",
    ],
)
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert JsonRecords().confidence(text) == 0.0


HOSTILE = {
    "lists": "[" * 100_000 + "]" * 100_000,
    "lists within reason": "[" * 900 + '{"speaker": "NED", "text": "Hi."}' + "]" * 900,
    "open lists": "[" * 200_000,
    "objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "a number": "1" * 200_000,
    "bad lines": "{\n" * 10_000,
    "empty lines": "{}\n" * 4_000,
    "keys": json.dumps({f"a{number}": {} for number in range(4_000)}),
    "long keys": json.dumps({"aB" * 50_000: []}),
    "parentheses": json.dumps({"speaker": "NED", "text": "[a" * 100_000}),
    "surrogates": '{"speaker": "\\ud800", "text": "\\udc00 a"}',
    "infinity": '{"speaker": "NED", "text": "Hi.", "season": Infinity, "episode": NaN}',
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    check_read(JsonRecords(), text)


PARTS = ["{", "}", "[", "]", ",", ":", '"', '"speaker"', '"text"', '"NED"', '"Hello."', '"season"', "1", "null",
         "\n", "\r", "\u2028", "\0", "\ud800"]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
KEYS = st.sampled_from(["speaker", "speakers", "text", "season", "episode", "scene", "id", "a"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)) | VALUES.map(json.dumps))
def test_any_text_is_read(text: str) -> None:
    source = check_read(JsonRecords(), text)
    assert all(turn.speaker.strip() for turn in source.turns)
    assert source.kept == len(source.turns)
    assert bool(text.strip()) == bool(source.turns or source.omissions)


TALK = [("Nele", "Hello."), ("Bartok", "Hi."), ("Nele", "Bye.")]


@pytest.mark.parametrize(
    "document",
    [
        [{"from": name, "value": text} for name, text in TALK],
        [{"name": name, "mes": text, "is_user": False} for name, text in TALK],
        [list(turn) for turn in TALK],
        {"id": "x", "turns": [list(turn) for turn in TALK]},
        [{name: text} for name, text in TALK],
        [{"Nele": ["Hello."]}, {"Bartok": ["Hi."]}, {"Nele": ["Bye."]}],
        [f"{name}: {text}" for name, text in TALK],
        {"dialogue": "\r\n".join(f"{name}: {text}" for name, text in TALK)},
        {"speaker": [name for name, _ in TALK], "utt": [], "utterances": [text for _, text in TALK]},
        [{"NAMES": [name], "UTTERANCES": [*text.split()], "NUMBER": 1} for name, text in TALK],
        [{"role": "system", "content": "Be nice."}, *({"role": name, "content": text} for name, text in TALK)],
        [{"from": name, "text": [text[:2], {"type": "bold", "text": text[2:]}]} for name, text in TALK],
    ],
)
def test_lines_have_many_forms(document: Any) -> None:
    assert [(who, text.replace(" ", "")) for _, who, text in turns(document)] == TALK
    assert JsonRecords().confidence(json.dumps(document)) > 0.9


def test_a_conversation_is_a_scene() -> None:
    messages = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hi."}]
    conversations = [{"messages": messages}] * 3
    assert [scene for scene, *_ in turns(*conversations)] == [scene for scene, *_ in turns(conversations)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("wrap", [False, True])
def test_the_newest_may_come_first(wrap: bool) -> None:
    records = [
        {"id": "L2", "reply-to": "L1", "speaker": "Nele", "text": "Three.", "meta": {"movie_id": "m0"}},
        {"id": "L1", "reply-to": "L0", "speaker": "Bartok", "text": "Two.", "meta": {"movie_id": "m0"}},
        {"id": "L0", "reply-to": None, "speaker": "Nele", "text": "One.", "meta": {"movie_id": "m0"}},
    ]
    found_ = found(JsonRecords(), json.dumps(records) if wrap else "\n".join(map(json.dumps, records)))
    assert [(turn.text, turn.episode) for turn in found_] == [("One.", "m0"), ("Two.", "m0"), ("Three.", "m0")]
    assert [text for *_, text in turns(*records[::-1])] == ["One.", "Two.", "Three."]


def test_a_direction_beside_the_text_is_kept() -> None:
    (turn,) = found(JsonRecords(), json.dumps({"speaker": "NED", "modifier": "(waves)", "text": "Hello (so to say)."}))
    assert (turn.text, turn.directions) == ("Hello (so to say).", ("waves",))


@pytest.mark.parametrize(
    "document",
    [
        [{"name": "width", "value": "seven"}, {"name": "height", "value": "eight"}],
        {"scripts": {"test": "run", "lint": "run"}},
        [["a", "b"], ["c", "d"], ["e", "f"]],
        ["one: 1", "two: 2", "three: 3"],
    ],
)
def test_other_json_is_no_dialogue(document: Any) -> None:
    assert turns(document) == []


@pytest.mark.parametrize("value", ["Ned", None, 5, ["Ned", "Olga"], {"name": "Ned"}])
def test_an_empty_key_names_no_speaker(value: object) -> None:
    assert found(JsonRecords(), json.dumps([{"": value, "text": "Hello."}, {"text": "Hi.", "": value}])) == []
    assert [turn.speaker for turn in found(JsonRecords(), json.dumps([{"": value, "name": "Olga", "text": "Hi."}]))] == ["Olga"]
