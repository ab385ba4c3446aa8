"""The slash commands of the chat."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bots.terminal.chat import SETTABLE, Chat, greet
from bots.terminal.kept_chats import chat_name
from bots.terminal.picker import choices, pick
from bots.terminal.screen import cooked_mode, listed, note, show, styled, table
from bots.terminal.transcript import save
from charbot.config import Config, override
from charbot.corpus.examples import response_example
from charbot.errors import UsageError
from charbot.generation.reranking import Candidate
from charbot.text import find_name
from charbot.yamlfile import parse_yaml

_WIDE = 100
"""The width of the terminal, in columns, from which `/why` shows all features."""

_FEATURES = {
    "score": "score",
    "log_prob": "log p",
    "relevance": "relevance",
    "familiarity": "familiar",
    "topic": "topic",
    "repetition": "repeats",
}
"""The attributes of a candidate that `/why` shows, and their column headings."""


_BEFORE = "The conversation before is kept: /chats lists it."


@dataclass(frozen=True)
class _Command:
    about: str
    run: Callable[[Chat, str], None]


def is_command(text: str) -> bool:
    """Return whether the text begins with a slash and a word. Paths, and text after a space, are messages."""
    return re.fullmatch(r"/\w*", text.partition("\n")[0].partition(" ")[0]) is not None


def run(talk: Chat, text: str) -> bool:
    """Run a command, and return False if it asks to leave. Raises CharbotError."""
    name, _, argument = text[1:].strip().partition(" ")
    if name.casefold() in ("exit", "quit"):
        return False
    found, hint = find_name(name, COMMANDS)
    if found is None:
        raise UsageError(f"there is no command /{name}; /help lists them.{hint} With a space before it, it is a message.")
    COMMANDS[found].run(talk, argument.strip())
    return True


def _help(talk: Chat, argument: str) -> None:
    table((), [(f"/{name}", command.about) for name, command in COMMANDS.items()])


def _persona(talk: Chat, argument: str) -> None:
    with cooked_mode():
        chosen = argument or pick(talk.library, talk.theme, talk.persona.card.name)
    if chosen:
        before = talk.kept
        talk.start(chosen)
        greet(talk)
        if before:
            note(_BEFORE)


def _personas(talk: Chat, argument: str) -> None:
    table((), [(styled(one.name, talk.style(one.name)), one.show, one.about) for one in choices(talk.library)])


def _with(talk: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("/with NAME: who else takes part")
    talk.join(argument)
    talk.keep()
    note(f"{listed(talk.names)} take part. Enter alone has the next of them speak; /without NAME has one leave.")


def _without(talk: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("/without NAME: who takes part no more")
    talk.leave(argument)
    talk.keep()
    note(f"{listed(talk.names)} {'takes' if len(talk.names) == 1 else 'take'} part.")


def _as(talk: Chat, argument: str) -> None:
    if argument:
        engine, _ = talk.run_blocking(lambda: talk.persona.load(talk.settings.unit))
        found, hint = find_name(argument, engine.tokenizer.vocabulary.speakers)
        if found is None:
            raise UsageError(f"nobody called {argument!r} is known.{hint}")
        talk.user_character = found
    else:
        talk.user_character = None
    talk.keep()
    note(f"You are {talk.user_character}." if talk.user_character else "You are yourself.")


def _reset(talk: Chat, argument: str) -> None:
    before = talk.kept
    talk.start(*talk.names)
    note(f"A new conversation.{f' {_BEFORE}' if before else ''}")


def _chats(talk: Chat, argument: str) -> None:
    if argument:
        talk.resume(talk.store.find(argument, note))
        greet(talk)
        return
    kept = list(talk.store.chats(note))
    if not kept:
        raise UsageError("no conversation is kept yet")
    rows = [(one.chat.title, listed(one.chat.cast), f"{one.changed:%Y-%m-%d %H:%M}") for one in kept]
    table((), [(str(number), *row) for number, row in enumerate(rows, start=1)])
    note("/chats NUMBER or NAME opens one.")


def _rename(talk: Chat, argument: str) -> None:
    talk.name = chat_name(argument)
    talk.keep()
    note(f"This conversation is called {talk.name}.")


def _regenerate(talk: Chat, argument: str) -> None:
    session = talk.session
    if not session.turns:
        raise UsageError("there is no reply yet")
    if session.from_user[-1]:
        talk.reply(session, talk.persona)
    else:
        talk.reply(session.drop_last_reply(), talk.called(session.turns[-1].speaker))


def _undo(talk: Chat, argument: str) -> None:
    before, talk.session = talk.session, talk.session.undo()
    taken = before.from_user[len(talk.session.turns) :]
    if not taken:
        raise UsageError("there is nothing to take back")
    talk.keep()
    message = "message and its reply are" if len(taken) > 1 else "message is"
    note(f"The last {message if taken[0] else 'reply is'} taken back.")


def _candidates(talk: Chat) -> Sequence[Candidate]:
    """Return the candidates of the last reply. Raises UsageError where there are none."""
    if not talk.session.candidates:
        raise UsageError("there is no reply yet")
    return talk.session.candidates


def _pick(talk: Chat, argument: str) -> None:
    candidates = _candidates(talk)
    of = {str(number): one.text for number, one in enumerate(candidates, start=1)}
    if argument not in of:
        raise UsageError(f"/pick NUMBER: 1 to {len(candidates)}; /why lists them")
    text = of[argument]
    talk.session = talk.session.replace_last(text)
    talk.keep()
    name = talk.session.turns[-1].speaker
    show((talk.style(name), f"{name}: "), ("", text))


def _why(talk: Chat, argument: str) -> None:
    candidates = _candidates(talk)
    parts = _FEATURES if shutil.get_terminal_size().columns >= _WIDE else {"score": "score"}
    rows = [(str(i), *(f"{getattr(one, part):.2f}" for part in parts), one.text) for i, one in enumerate(candidates, start=1)]
    table(("", *parts.values(), "reply"), rows)
    if len(parts) > 1:
        note("log p: nats per character. familiar: like a message that a reply was written for. /pick takes another.")


def _who(talk: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("/who TEXT: who would have said it")
    ranking = talk.run_blocking(lambda: talk.identifier.rank([argument]))
    table((), [(f"{probability:.0%}", name) for name, probability in ranking[:5]])


def _set(talk: Chat, argument: str) -> None:
    key, _, value = argument.partition(" ")
    if key not in SETTABLE or not value:
        raise UsageError(f"/set {'|'.join(SETTABLE)} VALUE; /show tells what they are")
    try:
        parsed = parse_yaml(value)
    except ValueError as error:
        raise UsageError(f"/set {key}: {value!r} is no value") from error
    config = override(Config(chat=talk.settings), {"chat": {key: parsed}}, "/set")
    talk.change(config.chat)
    talk.keep()
    note(f"{key} is {value}.")


def _show(talk: Chat, argument: str) -> None:
    table((), [(key, str(getattr(talk.settings, key))) for key in SETTABLE])


def _stats(talk: Chat, argument: str) -> None:
    mine = [at for at, from_user in enumerate(talk.session.from_user) if from_user]
    rows = [("messages", str(len(mine))), ("replies", str(len(talk.session.turns) - len(mine)))]
    if mine:
        surprise = talk.run_blocking(lambda: _surprise(talk, mine))
        rows.append(("your messages surprise by", f"{surprise:.2f} bits a character"))
    if talk.session.candidates:
        took = f"{talk.session.seconds * 1000:.0f} ms, of {len(talk.session.candidates)} candidates"
        rows.append(("the last reply took", took))
    table((), rows)


def _surprise(talk: Chat, places: Sequence[int]) -> float:
    """Return the bits per character of the turns at `places`, by the model of the persona whose turn it is to reply."""
    engine, _ = talk.persona.load(talk.settings.unit)
    from charbot.evaluation.likelihood import likelihood

    turns, before = talk.session.turns, talk.settings.context_turns
    said = [response_example(turns[max(0, at - before) : at], turns[at]) for at in places]
    return likelihood(engine.model, engine.tokenizer, said).bits_per_character


def _save(talk: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("/save FILE.md, FILE.json, or FILE.txt for a script that `charbot scripts import` reads")
    try:
        path = Path(argument).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{argument}: {error}") from error
    save(talk.session.turns, listed(talk.names), path)
    note(f"Saved to {path}.")


COMMANDS = {
    "help": _Command("this list", _help),
    "persona": _Command("NAME: a new conversation with somebody else", _persona),
    "personas": _Command("who there is", _personas),
    "with": _Command("NAME: somebody else takes part; Enter alone has the next one speak", _with),
    "without": _Command("NAME: somebody takes part no more", _without),
    "as": _Command("NAME: you are a character of the show; alone: yourself again", _as),
    "regenerate": _Command("another reply to the last message", _regenerate),
    "why": _Command("the candidates of the last reply, and their scores", _why),
    "pick": _Command("NUMBER: another candidate of the last reply instead", _pick),
    "who": _Command("TEXT: who would have said it", _who),
    "undo": _Command("take the last message and its reply back, or a reply that came by Enter alone", _undo),
    "reset": _Command("start a new conversation with the same people", _reset),
    "chats": _Command("your conversations; NUMBER or NAME: open that one", _chats),
    "rename": _Command("NAME: what this conversation is called", _rename),
    "set": _Command(f"KEY VALUE: change how replies are written; {listed(SETTABLE)} are the keys", _set),
    "show": _Command("how replies are written", _show),
    "stats": _Command("of this conversation", _stats),
    "save": _Command("FILE.md|.json|.txt: what was said", _save),
    "exit": _Command("leave (so does Ctrl-D)", lambda talk, argument: None),
}
