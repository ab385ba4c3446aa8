import io
from dataclasses import replace
from typing import Any

import pytest

from bots.terminal.say import answer_lines, answer_once, answer_requests
from charbot.config import DEFAULT_OPTIONS, SEEDS, ChatSettings
from charbot.errors import UsageError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona, Reply
from charbot.generation.reranking import Candidate
from charbot.personas.library import Library

OPTIONS = ChatSettings(candidates=4, max_words=6, seed=3)


@pytest.fixture
def persona(shared_library: Library) -> Persona:
    return Persona(shared_library, "ann")


def test_one_message_one_line(persona: Persona) -> None:
    out = io.StringIO()
    answer_once(persona, OPTIONS, "Hello", out)
    assert out.getvalue() == persona.reply(Conversation().add("Hello"), OPTIONS).text + "\n"


@pytest.mark.parametrize("message", ["", " \t", "\u200b", "\ud800"])
def test_an_empty_message_is_refused(persona: Persona, message: str) -> None:
    with pytest.raises(UsageError, match="the message is empty"):
        answer_once(persona, OPTIONS, message, io.StringIO())


def test_lines_of_a_pipe_are_one_conversation_and_each_is_answered(persona: Persona) -> None:
    out = io.StringIO()
    problems: list[str] = []
    answer_lines(persona, OPTIONS, ["Hello\n", " \n", "And you?\n"], out, problems.append)
    first = persona.reply(Conversation().add("Hello"), OPTIONS)
    second = persona.reply(first.conversation.add("And you?"), OPTIONS, seed=5)
    assert out.getvalue().splitlines() == [first.text, "", second.text]
    assert problems == ["line 2 is empty: there is nothing to reply to"]
    alone = io.StringIO()
    answer_lines(persona, OPTIONS, ["And you?\n"], alone, problems.append)
    assert alone.getvalue() == persona.reply(Conversation().add("And you?"), OPTIONS).text + "\n"


def test_after_the_last_seed_comes_the_first(persona: Persona) -> None:
    out = io.StringIO()
    options = replace(OPTIONS, seed=SEEDS - 1)
    answer_lines(persona, options, ["Hello\n", "And you?\n"], out, lambda _: None)
    first = persona.reply(Conversation().add("Hello"), options)
    assert out.getvalue().splitlines() == [first.text, persona.reply(first.conversation.add("And you?"), options, seed=0).text]


def test_json_lines_stand_alone(persona: Persona) -> None:
    lines = [
        '{"id": 1, "message": "Hello"}',
        '{"id": 2, "context": [{"speaker": null, "text": "Hello"}]}',
        "",
        '{"id": 3, "context": []}',
    ]
    answers = list(answer_requests(persona, OPTIONS, lines))
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert answers[0]["reply"] == answers[1]["reply"] == persona.reply(Conversation().add("Hello"), OPTIONS).text
    assert all(isinstance(answer["ms"], int) for answer in answers)


@pytest.mark.parametrize(
    ("line", "id_", "problem"),
    [
        ('{"id": "a", "message": 3}', "a", "`message` must be text"),
        ('{"id": 3}', 3, "`message` or `context` is missing"),
        ('{"message": null}', None, "`message` or `context` is missing"),
        ('{"mesage": "Hello"}', None, "`message` or `context` is missing"),
        ('{"id": 3, "message": " \\u200b"}', 3, "`message` is empty"),
        ('{"id": 3, "message": "\\ud800", "context": []}', 3, "`message` is empty"),
        ('{"id": NaN, "message": "Hello"}', None, "`id` must be a value that JSON and UTF-8 have"),
        ('{"id": [1e999], "message": "Hello"}', None, "`id` must be a value that JSON and UTF-8 have"),
        ('{"id": "\\ud800", "message": "Hello"}', None, "`id` must be a value that JSON and UTF-8 have"),
        ('{"id": {"\\udfff": 1}, "message": "Hello"}', None, "`id` must be a value that JSON and UTF-8 have"),
        ('{"id": {"x": 1}, "context": [1]}', {"x": 1}, '`context` must be a list of {"speaker": name or null, "text": text}'),
        ("[" * 100_000, None, "nested too deeply"),
        ("[]", None, "must be a JSON object"),
    ],
)
def test_a_mistake_in_a_json_line_is_answered_by_an_error(persona: Persona, line: str, id_: object, problem: str) -> None:
    before, mistake, after = answer_requests(persona, OPTIONS, ["\n", '{"message": "Hi"}', line, '{"message": "Hi"}'])
    assert mistake == {"id": id_, "error": f"line 3: {problem}"}
    assert before["reply"] == after["reply"]


def test_without_a_seed_recent_answers_are_not_given_again(shared_library: Library) -> None:
    avoided: list[tuple[str, ...]] = []

    class Parrot(Persona):
        def reply(self, conversation: Conversation, options: ChatSettings = DEFAULT_OPTIONS, **more: Any) -> Reply:
            avoided.append(more["avoid"])
            text = conversation.turns[-1].text
            return Reply(text, (Candidate.of_text(text),), conversation.add(text, "Ann"), 0.0)

    lines = [f'{{"message": "{text}"}}' for text in "abc"]
    list(answer_requests(Parrot(shared_library, "ann"), ChatSettings(), lines))
    assert avoided == [(), ("a",), ("a", "b")]
    avoided.clear()
    list(answer_requests(Parrot(shared_library, "ann"), ChatSettings(seed=1), lines))
    assert avoided == [(), (), ()]
