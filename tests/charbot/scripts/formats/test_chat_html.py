from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.chat_html import ChatHtml
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_read, said

SAMPLE = (Path(__file__).parents[4] / "scripts_data" / "samples" / "chat_html" / "messages.html").read_text("utf-8")


def test_the_sample() -> None:
    assert detect(SAMPLE).name == "chat-html"
    assert said(ChatHtml(), SAMPLE) == [
        (0, "Lou", "Who taught the heron to ring the bell? It is at my door. Again."),
        (0, "Mr. Abel", "It taught itself."),
        (0, "Lou", "Then un-teach it & bring fish: [link]"),
        (1, "Mr. Abel", "Is it still ringing?"),
        (1, "Lou", "It has keys now."),
    ]
    assert [omission.reason for omission in read(ChatHtml(), SAMPLE).omissions] == ["system message"]


def test_forwarded_messages_are_left_out() -> None:
    forwarded = (
        '<div class="message default clearfix"><div class="body"><div class="from_name">Lou</div>'
        '<div class="forwarded body"><div class="from_name">Ivo <span class="date details">01.05.2024</span></div>'
        '<div class="text">Not mine.</div></div></div></div>'
    )
    talk = said(ChatHtml(), SAMPLE.replace(" </div></div></div></body>", f"{forwarded} </div></div></div></body>"))
    assert len(talk) == 5
    assert "Not mine." not in str(talk)


@pytest.mark.parametrize("text", ["", "<p><b>Dora:</b> Hello.</p>" * 20, "Nele: Hi.\n" * 9])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert ChatHtml().confidence(text) == 0.0


PARTS = ['<div class="message default">', '<div class="from_name">', '<div class="text">', "</div>", "<br>", "Lou", "> a", "<![",
         '<div class="date" title="01.02.2024 18:00:00">', '<div class="forwarded body">', "\n", "\0"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    assert all(turn.speaker.strip() for turn in check_read(ChatHtml(), text).turns)
