import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.jsonlines import BadRequest, Request, arriving, read_requests


def test_what_has_arrived_is_there_before_the_next_line_is() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as stream, os.fdopen(writing, "w", encoding="utf-8") as other:
        lines = arriving(stream)
        for text in ("a\n", "b\nc\n"):
            other.write(text)
            other.flush()
            assert next(lines) == text.splitlines()
        other.write("é")
        other.close()
        assert [line for some in lines for line in some] == ["é"]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1), st.integers(1, 7))
def test_lines_arrive_whole_however_they_are_cut(lines: list[str], size: int) -> None:
    reading, writing = os.pipe()
    os.write(writing, "\n".join(lines).encode())
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        assert [line for batch in arriving(stream, chunk_bytes=size) for line in batch] == lines


_VALUES = (
    st.none() | st.booleans() | st.floats(allow_subnormal=False) | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2)
)
_OBJECTS = st.dictionaries(st.sampled_from(["id", "message", "context", "lines", "speaker", "text"]), _VALUES).map(json.dumps)


@given(st.lists(_OBJECTS | st.text(st.characters(exclude_characters="\r\n\ufeff")), max_size=6))
def test_every_line_with_text_is_one_request_or_one_error(lines: list[str]) -> None:
    requests = list(read_requests(lines, optional=("message",), one_of=("message", "context")))
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    assert len(requests) == len(numbers)
    for number, request in zip(numbers, requests, strict=True):
        json.dumps(request.id, ensure_ascii=False, allow_nan=False).encode()
        assert isinstance(request, Request) or request.error.startswith(f"line {number}: ")


def test_a_mark_of_byte_order_is_no_part_of_the_first_line() -> None:
    assert [one.id for one in read_requests(['\ufeff{"id": 1}', '{"id": 2}'])] == [1, 2]
    _, second = read_requests(['{"id": 1}', '\ufeff{"id": 2}'])
    assert isinstance(second, BadRequest)
    assert second.error.startswith("line 2: not JSON")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("hello", "not JSON: Expecting value at column 1"),
        ('{"id": 1} 2', "not JSON: Extra data at column 11"),
        ("9" * 5000, "not JSON: Exceeds the limit"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_one_line_number_alone_is_named(line: str, problem: str) -> None:
    (bad,) = read_requests([line], first=5)
    assert isinstance(bad, BadRequest)
    assert bad.error.startswith(f"line 5: {problem}")
    assert bad.error.count("line") == 1


def test_texts_that_are_too_long_are_refused() -> None:
    lines = ['{"id": 1, "reply": "abc"}', '{"id": 2, "reply": "abcd"}']
    first, second = read_requests(lines, required=("reply",), longest=3)
    assert isinstance(first, Request)
    assert second == BadRequest(2, "line 2: `reply` has 4 characters; at most 3 are read")


def test_texts_with_nothing_to_read_are_refused() -> None:
    lines = ['{"text": " "}', '{"lines": []}', '{"lines": ["", "\\u200b"]}', '{"text": "", "lines": ["Tea?"]}', "{}"]
    fields = ["`text` is empty", "`lines` is empty", "`lines` is empty", "`text` is empty", "`text` or `lines` is missing"]
    requests = read_requests([*lines, '{"lines": ["", "Tea?"]}'], optional=("text",), one_of=("text", "lines"))
    *mistakes, last = requests
    assert mistakes == [BadRequest(None, f"line {number}: {field}") for number, field in enumerate(fields, start=1)]
    assert isinstance(last, Request)
