import io
import json

import pytest

from bots.terminal.say import answer_lines, answer_once, answer_requests
from charbot.config import ChatSettings
from charbot.errors import UsageError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.personas.library import Library

OPTIONS = ChatSettings(candidates=4, max_words=6, seed=3)


@pytest.fixture
def persona(shared_library: Library) -> Persona:
    return Persona(shared_library, "ann")


def test_one_message_one_line(persona: Persona) -> None:
    out = io.StringIO()
    answer_once(persona, OPTIONS, "Hello", out)
    assert out.getvalue() == persona.reply(Conversation().add("Hello"), OPTIONS).text + "\n"


def test_lines_of_a_pipe_are_one_conversation_and_each_is_answered(persona: Persona) -> None:
    out = io.StringIO()
    answer_lines(persona, OPTIONS, ["Hello\n", "\n", "And you?\n"], out)
    first = persona.reply(Conversation().add("Hello"), OPTIONS)
    second = persona.reply(first.conversation, OPTIONS)
    assert out.getvalue().splitlines() == [
        first.text,
        second.text,
        persona.reply(second.conversation.add("And you?"), OPTIONS).text,
    ]
    alone = io.StringIO()
    answer_lines(persona, OPTIONS, ["And you?\n"], alone)
    assert alone.getvalue() == persona.reply(Conversation().add("And you?"), OPTIONS).text + "\n"


def test_json_lines_stand_alone(persona: Persona) -> None:
    out = io.StringIO()
    lines = [
        '{"id": 1, "message": "Hello"}',
        '{"id": 2, "context": [{"speaker": null, "text": "Hello"}]}',
        "",
        '{"id": 3, "context": []}',
    ]
    answer_requests(persona, OPTIONS, lines, out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert answers[0]["reply"] == answers[1]["reply"] == persona.reply(Conversation().add("Hello"), OPTIONS).text
    assert all(isinstance(answer["ms"], int) for answer in answers)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"message": 3}', "`message` must be text"),
        ('{"id": 3}', "`message` or `context` is missing"),
        ('{"message": null}', "`message` or `context` is missing"),
        ('{"mesage": "Hello"}', "`message` or `context` is missing"),
        ('{"id": NaN, "message": "Hello"}', "`id` must be a value that JSON has"),
        ('{"id": [1e999], "message": "Hello"}', "`id` must be a value that JSON has"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_mistake_in_a_json_line_is_named(persona: Persona, line: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^line 2: {problem}$"):
        answer_requests(persona, OPTIONS, ["\n", line], io.StringIO())
