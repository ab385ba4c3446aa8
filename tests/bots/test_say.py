import io
import json

import pytest

from bots.terminal.say import answer_lines, answer_once, answer_requests
from charbot.config import ChatSettings
from charbot.errors import UsageError
from charbot.personas.library import Library
from charbot.replies.engine import Voice
from charbot.replies.memory import Memory


@pytest.fixture
def voice(shared_library: Library) -> Voice:
    return Voice(shared_library, "ann", ChatSettings(candidates=4, max_words=6, seed=3))


def test_one_message_one_line(voice: Voice) -> None:
    out = io.StringIO()
    answer_once(voice, "Hello", out)
    assert out.getvalue() == voice.reply(Memory().said("Hello")).text + "\n"


def test_lines_of_a_pipe_are_one_conversation(voice: Voice) -> None:
    out = io.StringIO()
    answer_lines(voice, ["Hello\n", "\n", "And you?\n"], out)
    first, _, third = out.getvalue().splitlines()
    assert first == voice.reply(Memory().said("Hello")).text
    assert third
    alone = io.StringIO()
    answer_lines(voice, ["And you?\n"], alone)
    assert alone.getvalue() == voice.reply(Memory().said("And you?")).text + "\n"


def test_json_lines_stand_alone(voice: Voice) -> None:
    out = io.StringIO()
    lines = ['{"id": 1, "message": "Hello"}', '{"id": 2, "context": [{"speaker": null, "text": "Hello"}]}', '{"id": 3}']
    answer_requests(voice, lines, out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert answers[0]["reply"] == answers[1]["reply"] == voice.reply(Memory().said("Hello")).text
    assert all(isinstance(answer["ms"], int) for answer in answers)
    with pytest.raises(UsageError, match="line 1: `message` must be text"):
        answer_requests(voice, ['{"message": 3}'], out)
