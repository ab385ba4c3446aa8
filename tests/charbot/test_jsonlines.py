import os

from hypothesis import given
from hypothesis import strategies as st

from charbot.jsonlines import BadRequest, arriving, read_requests


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


def test_a_mark_of_byte_order_is_no_part_of_the_first_line() -> None:
    assert [one.id for one in read_requests(['\ufeff{"id": 1}', '{"id": 2}'])] == [1, 2]
    _, second = read_requests(['{"id": 1}', '\ufeff{"id": 2}'])
    assert isinstance(second, BadRequest)
    assert second.error.startswith("line 2: not JSON")
