import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.tokens import tokenizer_for
from charbot.tokens.truncation import last_tokens
from charbot.tokens.vocabulary import build_vocabulary

_TOKENIZERS = [
    tokenizer_for(build_vocabulary(unit, [("I like tea, you know.", 1)], ["Ann"], min_characters=1, min_words=1))
    for unit in ("word", "char")
]


@given(st.text(max_size=200), st.integers(4, 60), st.sampled_from(_TOKENIZERS))
def test_what_is_read_is_an_end_of_bounded_length(text: str, count: int, tokenizer: object) -> None:
    short = last_tokens(tokenizer, text, count)  # type: ignore[arg-type]
    assert text.endswith(short)
    # What spells a word, and what stands before it, may be added once.
    assert len(tokenizer.encode(short)) <= count + 4  # type: ignore[attr-defined]
    if len(tokenizer.encode(text)) <= count // 4:  # type: ignore[attr-defined]
        assert short == text.lstrip() or not text.strip()


@pytest.mark.parametrize(
    ("text", "count", "short"), [("I like tea, you know.", 5, "know."), ("\N{GRINNING FACE}" * 99, 16, "\N{GRINNING FACE}" * 4)]
)
def test_words_and_emoji(text: str, count: int, short: str) -> None:
    assert last_tokens(_TOKENIZERS[0], text, count).endswith(short)
