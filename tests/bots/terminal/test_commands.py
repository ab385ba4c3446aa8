"""Commands of the chat without a terminal: what they ask for, and what they refuse."""

import re
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from bots.terminal.chat import Chat
from bots.terminal.commands import run
from bots.terminal.kept_chats import ChatStore
from bots.terminal.repl import hear
from charbot.config import ChatSettings, TerminalSettings
from charbot.errors import UsageError
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona, Reply
from charbot.generation.reranking import Candidate
from charbot.personas.library import Library


class _Scheduler:
    """Replies the first of these texts that is not to be avoided."""

    texts = ("Tea.", "Cake.", "Soup.")

    def submit(
        self, persona: Persona, conversation: Conversation, *_: object, avoid: Collection[str], **__: object
    ) -> Future[Reply]:
        text = next(text for text in self.texts if text not in avoid)
        candidates = tuple(Candidate(one, 0.5, -1.0, -2.0, 0.25, 0.0) for one in self.texts)
        future: Future[Reply] = Future()
        future.set_result(Reply(text, candidates, conversation.add(text, persona.card.name), 0.0))
        return future


@pytest.fixture
def talk(shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings, scheduler = ChatSettings(), cast(BatchScheduler, _Scheduler())
    with ThreadPoolExecutor(1) as loader:
        chat = Chat(shared_library, settings, TerminalSettings(stream=False), ChatStore(tmp_path), scheduler, loader, settings)
        chat.prompt_ready.set()
        chat.start("ann")
        yield chat


@pytest.mark.parametrize(("word", "picked", "other"), [("2", "Cake.", "Soup."), ("previous", "Soup.", "Cake.")])
def test_what_was_picked_is_not_given_again(talk: Chat, word: str, picked: str, other: str) -> None:
    hear(talk, "What is there?")
    run(talk, f"/pick {word}")
    assert talk.session.turns[-1].text == picked
    run(talk, "/regenerate")
    assert talk.session.turns[-1].text == other


def test_the_reply_of_a_conversation_that_is_opened_again_is_not_given_again(talk: Chat) -> None:
    hear(talk, "What is there?")
    run(talk, "/pick 2")
    talk.recent.clear()
    run(talk, "/chats 1")
    run(talk, "/regenerate")
    assert talk.session.turns[-1].text == "Tea."
    run(talk, "/regenerate")
    assert talk.session.turns[-1].text == "Soup."


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ("/reset now", "/reset stands alone: start a new conversation with the same people"),
        ("/exit now", "/exit stands alone: leave (so does Ctrl-D)"),
        ("/Quit now", "/exit stands alone: leave (so does Ctrl-D)"),
        ("/undo 2", "/undo stands alone: take the last message"),
        ("/stats x", "/stats stands alone: figures of this conversation"),
        ("/regenerate x", "/regenerate stands alone: another reply"),
        ("/why 2", "/why stands alone"),
        ("/show seed", "/show stands alone"),
        ("/help me", "/help stands alone"),
        ("/personas joey", "/personas stands alone"),
    ],
)
def test_an_argument_that_a_command_does_not_take_is_refused(talk: Chat, text: str, usage: str) -> None:
    hear(talk, "What is there?")
    before = talk.session
    with pytest.raises(UsageError, match=f"^{re.escape(usage)}"):
        run(talk, text)
    assert talk.session is before


def test_who_leaves_says_so_in_one_word(talk: Chat) -> None:
    assert [run(talk, text) for text in ("/exit", "/QUIT", "/show")] == [False, False, True]
