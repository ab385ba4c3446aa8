from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats.csv_records import Record, records


def test_a_record_may_run_over_lines() -> None:
    assert list(records(['a,"b', "", 'c"', "d"])) == [Record(1, 3, ("a", "b\n\nc")), Record(4, 4, ("d",))]


def test_an_open_quote_loses_its_own_line_only() -> None:
    assert list(records(['a,"b', "c,d", 'e,"f"', "g,h"])) == [
        Record(1, 1, error="a quote is never closed"),
        Record(2, 2, ("c", "d")),
        Record(3, 3, ("e", "f")),
        Record(4, 4, ("g", "h")),
    ]


def test_an_open_quote_at_the_end_loses_its_own_line_only() -> None:
    found = list(records(['a,"b', *["c,d"] * 200]))
    assert found[0].error
    assert [record.fields for record in found[1:]] == [("c", "d")] * 200


def test_a_field_that_is_too_long_loses_its_own_line_only() -> None:
    found = list(records(["a," + "b" * 1_100_000, "c,d"]))
    assert "limit" in found[0].error
    assert found[1:] == [Record(2, 2, ("c", "d"))]


@given(st.lists(st.text('a",;\t\n').map(lambda line: line.replace("\n", " ")), max_size=20), st.sampled_from(",;\t"))
def test_every_line_is_in_one_record(lines: list[str], delimiter: str) -> None:
    spans = [range(record.first, record.last + 1) for record in records(lines, delimiter)]
    assert [number for span in spans for number in span] == list(range(1, len(lines) + 1))
