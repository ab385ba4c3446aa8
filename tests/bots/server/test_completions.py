"""Where a reply ends, and how events are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.server.completions import cut, event
from charbot.personas.library import Library
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import UNITS, Unit


@pytest.mark.parametrize("unit", UNITS)
@given(text=st.text(), limit=st.none() | st.integers(1, 9), stops=st.lists(st.text(max_size=2), max_size=3))
def test_a_cut_text_has_no_stop_sequence_and_no_more_tokens(
    shared_library: Library, unit: Unit, text: str, limit: int | None, stops: list[str]
) -> None:
    tokenizer = tokenizer_for(shared_library.base(unit)[2])
    short, why = cut(text, tokenizer, limit, stops)
    assert text.startswith(short)
    assert not any(stop in short for stop in stops if stop)
    if why == "length":
        assert not short or len(tokenizer.encode(short)) <= (limit or 0)
    else:
        assert short == text or any(text[len(short) :].startswith(stop) for stop in stops if stop)


@given(st.text())
def test_an_event_is_one_line_of_ascii(text: str) -> None:
    written = event({"text": text}).decode("ascii")
    assert written.splitlines() == [written[:-2], ""]
    assert json.loads(written.removeprefix("data: ")) == {"text": text}
