import re

from hypothesis import given
from hypothesis import strategies as st

from bots.discord_bot.markdown import escape, quote


def test_markdown_and_mentions_are_shown_as_they_are() -> None:
    assert escape("*a* _b_ ~~c~~ `d` ||e|| [f](g) <@1>") == r"\*a\* \_b\_ \~\~c\~\~ \`d\` \|\|e\|\| \[f\](g) \<@1\>"
    assert escape("# big\n- one\n> said - so") == "\\# big\n\\- one\n\\> said - so"


def test_links_are_bare_and_have_no_preview() -> None:
    assert escape("see https://a.example/b_c?d=*e") == r"see <https://a.example/b_c?d=>\*e"
    assert escape("[Free](HTTPS://evil.example)") == r"\[Free\](<HTTPS://evil.example>)"


def test_every_line_is_quoted() -> None:
    assert quote("one\ntwo\r\n> three") == "> one\n> two\n> \\> three"
    assert quote("") == "> "


@given(st.text(alphabet="a:/.htps[]()<>*_`|~\\# \n", max_size=60))
def test_no_markup_is_left(text: str) -> None:
    bare = re.sub(r"<https?://[^\s<>]+>", "", escape(text))
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~`|\[\]<>]", re.sub(r"\\[\\*_~`|\[\]<>#-]", "", bare))
