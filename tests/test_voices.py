"""The voices that charbot ships: conversations written for its personas, in its own words."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from charbot.config import CorpusSettings
from charbot.corpus.chats import ChatFiles
from charbot.generation.dialogue_acts import DialogueAct, Mark, marked
from charbot.generation.topics import topics
from charbot.personas.bundle import read_persona
from charbot.personas.library import Library

VOICES = Path(str(resources.files("scripts_data").joinpath("voices")))
LIBRARY = Library((Path(str(resources.files("charbot").joinpath("bundles"))),))
NAMES = sorted(LIBRARY.personas)


def test_every_persona_has_a_voice() -> None:
    assert sorted(path.stem for path in VOICES.glob("*.jsonl")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_voice_is_many_conversations_in_which_every_message_is_answered(name: str) -> None:
    persona = read_persona(LIBRARY.find(name)).name
    chats = list(ChatFiles.find([VOICES / f"{name}.jsonl"], CorpusSettings()))
    assert len(chats) >= 300
    replies = []
    for chat in chats:
        assert len(chat.turns) % 2 == 0
        assert [turn.speaker for turn in chat.turns] == ["user", persona] * (len(chat.turns) // 2)
        replies += [turn.text for turn in chat.turns[1::2]]
    assert len(set(replies)) == len(replies), "nothing is said twice"
    assert all(reply.isascii() and len(reply.split()) <= 32 for reply in replies)
    assert {chat.split for chat in chats} == {"train", "valid", "test"}, "some are held out"
    assert sum(len(chat.turns) > 2 for chat in chats) > len(chats) / 8, "and many go on"


@pytest.mark.parametrize("name", NAMES)
def test_a_voice_has_answers_to_every_dialogue_act_and_topic(name: str) -> None:
    answers: dict[Mark, list[str]] = {}
    for line in (VOICES / f"{name}.jsonl").read_text("utf-8").splitlines():
        (_, message), (_, answer), *_ = json.loads(line)["turns"]
        if mark := marked(message):
            answers.setdefault(mark, []).append(answer)
        else:
            assert not message.startswith("["), "every act has its name"
    for act in DialogueAct:
        assert len(answers[Mark(act, None)]) >= 10, act
    for topic in topics():
        assert len(answers[Mark(DialogueAct.TELLS, topic)]) >= 4, topic
        assert len(answers[Mark(DialogueAct.BAD, topic)]) >= 2, topic
    gaps = {DialogueAct.CHOICE, DialogueAct.RECALL}
    for mark, texts in answers.items():
        assert mark.topic in {None, *topics()}
        assert all(len(re.findall(r"\{x\}", text, re.IGNORECASE)) == (mark.act in gaps) for text in texts), mark


def test_ids_tell_conversations_apart() -> None:
    ids = [json.loads(line)["id"] for path in VOICES.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    assert len(set(ids)) == len(ids)
