from hypothesis import given
from hypothesis import strategies as st

from bots.discord_bot.texts import LIMIT, pieces


@given(st.text(alphabet="ab \n", max_size=200), st.integers(1, 30))
def test_parts_are_short_and_nothing_is_lost(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(len(part) <= limit for part in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_parts_end_between_words() -> None:
    assert pieces("one two three", 8) == ["one two", "three"]
    assert pieces("Hi") == ["Hi"]
    assert [len(part) for part in pieces("x" * (LIMIT + 1))] == [LIMIT, 1]
