"""The slash commands of the chat."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bots.terminal.chat import SETTABLE, Chat, greet, show_turn
from bots.terminal.kept_chats import KeptChat, chat_name
from bots.terminal.picker import choices, pick
from bots.terminal.screen import cooked_mode, listed, note, show, styled, table
from bots.terminal.transcript import save
from charbot.config import Config, override
from charbot.corpus.examples import response_example
from charbot.errors import BundleError, UsageError
from charbot.generation.reranking import Candidate
from charbot.personas.bundle import read_persona
from charbot.personas.library import match_name, similar_names
from charbot.personas.portrait import portrait
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

_NONE = "none"
"""A setting that has no value, as `/show` prints it and `/set` reads it."""

_OLD_CHAT_KEPT = "The conversation before is kept: /chats lists it."

STEPS = {"next": 1, "previous": -1}
"""Words for `/pick`, and how far each moves in the list of candidates."""


@dataclass(frozen=True)
class _Command:
    about: str
    run: Callable[[Chat, str], None]
    alone: bool = False
    """Whether nothing may stand after its name."""


def is_command(text: str) -> bool:
    """Return whether the text begins with a slash and a word. Paths, and text after a space, are messages."""
    return re.fullmatch(r"/\w*", text.partition("\n")[0].partition(" ")[0]) is not None


def run(talk: Chat, text: str) -> bool:
    """Run a command, and return False if it asks to leave. Raises CharbotError."""
    name, _, argument = text[1:].strip().partition(" ")
    name = "exit" if name.casefold() == "quit" else name
    command, hint = find_name(name, COMMANDS, "/")
    if command is None:
        raise UsageError(f"there is no command /{name}; /help lists them.{hint} With a space before it, it is a message.")
    chosen, argument = COMMANDS[command], argument.strip()
    if argument and chosen.alone:
        raise UsageError(f"/{command} stands alone: {chosen.about}")
    chosen.run(talk, argument)
    return command != "exit"


def _help(talk: Chat, argument: str) -> None:
    table((), [(f"/{name}", command.about) for name, command in COMMANDS.items()])
    newline = "o in normal mode" if talk.terminal.keys == "vi" else "Alt-Enter"
    keys = f"Tab completes, Ctrl-R searches what you typed, {newline} begins a new line, Ctrl-C stops a reply"
    if talk.terminal.keys == "vi":
        note(f"{keys}, v in normal mode opens your editor.")
    else:
        note(f"{keys}, Ctrl-X Ctrl-E opens your editor, Alt-N and Alt-P show the next and the previous candidate.")


def _slug(talk: Chat, name: str, command: str) -> str:
    """Return the slug of a persona that was named to a command. Raises UsageError, with what may have been meant."""
    slug = match_name(name, talk.library.personas)
    if slug is None:
        near = " or ".join(f"/{command} {meant}" for meant in talk.library.similar(name))
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"there is no persona called {name!r}.{hint} /personas lists them all.")
    return slug


def _persona(talk: Chat, argument: str) -> None:
    with cooked_mode():
        chosen = _slug(talk, argument, "persona") if argument else pick(talk.library, talk.theme, talk.persona.card.name)
    if chosen:
        before = talk.kept
        talk.start(chosen)
        greet(talk)
        if before:
            note(_OLD_CHAT_KEPT)


def _personas(talk: Chat, argument: str) -> None:
    table((), [(styled(choice.name, talk.style(choice.name)), choice.show, choice.about) for choice in choices(talk.library)])


def _about(talk: Chat, argument: str) -> None:
    slug = _slug(talk, argument or talk.persona.card.name, "about")
    if slug in talk.library.broken:
        raise BundleError(talk.library.broken[slug])
    card = read_persona(talk.library.personas[slug])
    self_portrait = portrait(talk.library, card.name)
    rows = [
        ("from", f"{card.show}, {card.rating}"),
        ("trained on", ", ".join(f"{count:,} lines of {show}" for show, count in card.data.get("lines", {}).items())),
        ("says", self_portrait.introduction or ""),
        ("talks about", ", ".join(self_portrait.topics)),
    ]
    show((talk.style(card.name), card.name))
    table((), [row for row in rows if row[1]])


def _with(talk: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("/with NAME: who else takes part")
    talk.join(_slug(talk, argument, "with"))
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
        speakers = engine.tokenizer.vocabulary.speakers
        character = match_name(argument, speakers)
        if character is None:
            near = " or ".join(similar_names(argument, speakers)[:3])
            raise UsageError(f"nobody called {argument!r} is known.{f' Did you mean {near}?' if near else ''}")
        if character in talk.names:
            raise UsageError(f"{character} takes part: you cannot be whom you talk to; /persona has somebody else take the place")
        talk.user_character = character
    else:
        talk.user_character = None
    talk.keep()
    note(f"You are {talk.user_character}." if talk.user_character else "You are yourself.")


def _reset(talk: Chat, argument: str) -> None:
    before = talk.kept
    talk.start(*talk.names)
    note(f"A new conversation.{f' {_OLD_CHAT_KEPT}' if before else ''}")


def _chats(talk: Chat, argument: str) -> None:
    if argument:
        talk.resume(talk.store.find(argument))
        greet(talk)
        return
    files = list(talk.store.files())
    if not files:
        raise UsageError("no conversation is kept yet")
    rows = [
        (file.title, listed(file.chat.cast) if isinstance(file, KeptChat) else "(damaged)", f"{file.changed:%Y-%m-%d %H:%M}")
        for file in files
    ]
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


def _edit(talk: Chat, argument: str) -> None:
    if argument and not re.fullmatch(r"[1-9]\d{0,3}", argument):
        raise UsageError("/edit, or /edit NUMBER: 2 is the message before the last one")
    before = talk.session.before_message(int(argument or 1))
    if before is talk.session:
        raise UsageError("there is no such message, or it is too long ago")
    talk.edit = before
    note("Enter replaces the old message and what came after it, Ctrl-C leaves all as it is.")


def _candidates(talk: Chat) -> Sequence[Candidate]:
    """Return the candidates of the last reply. Raises UsageError where there are none."""
    if not talk.session.candidates:
        raise UsageError("there is no reply yet")
    return talk.session.candidates


def _pick(talk: Chat, argument: str) -> None:
    candidates = _candidates(talk)
    texts = [candidate.text for candidate in candidates]
    if argument in STEPS:
        present = texts.index(talk.session.turns[-1].text) if talk.session.turns[-1].text in texts else 0
        text = texts[(present + STEPS[argument]) % len(texts)]
    elif argument in map(str, range(1, len(texts) + 1)):
        text = texts[int(argument) - 1]
    else:
        raise UsageError(f"/pick NUMBER: 1 to {len(texts)}, or {' or '.join(STEPS)}; /why lists them")
    talk.session = talk.session.replace_last(text)
    talk.recent.append(text)
    talk.keep()
    show_turn(talk, talk.session.turns[-1])


def _why(talk: Chat, argument: str) -> None:
    candidates = _candidates(talk)
    parts = _FEATURES if shutil.get_terminal_size().columns >= _WIDE else {"score": "score"}
    rows = [
        (str(number), *(f"{getattr(candidate, part):.2f}" for part in parts), candidate.text)
        for number, candidate in enumerate(candidates, start=1)
    ]
    table(("", *parts.values(), "reply"), rows)
    note("The first was said: of the best ones each has its turn. /pick takes another.")
    if len(parts) > 1:
        note("log p: nats per character. familiar: like a message that a reply was written for.")


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
        parsed = None if value.casefold() == _NONE else parse_yaml(value)
    except ValueError as error:
        raise UsageError(f"/set {key}: {value!r} is no value") from error
    config = override(Config(chat=talk.settings), {"chat": {key: parsed}}, "/set")
    talk.change(config.chat)
    talk.keep()
    note(f"{key} is {value}.")


def _show(talk: Chat, argument: str) -> None:
    values = {key: getattr(talk.settings, key) for key in SETTABLE}
    table((), [(key, _NONE if value is None else str(value).lower()) for key, value in values.items()])
    note("Candidates are generated where no written answer fits; there are fewer written ones.")


def _stats(talk: Chat, argument: str) -> None:
    messages = [index for index, from_user in enumerate(talk.session.from_user) if from_user]
    rows = [("messages", str(len(messages))), ("replies", str(len(talk.session.turns) - len(messages)))]
    if messages:
        surprise = talk.run_blocking(lambda: _surprise(talk, messages))
        rows.append(("your messages surprise by", f"{surprise:.2f} bits per character"))
    if talk.session.candidates:
        took = f"{talk.session.seconds * 1000:.0f} ms, of {len(talk.session.candidates)} candidates"
        rows.append(("the last reply took", took))
    table((), rows)


def _surprise(talk: Chat, indices: Sequence[int]) -> float:
    """Return the bits per character of the turns at `indices`, by the model of the persona whose turn it is to reply."""
    engine, _ = talk.persona.load(talk.settings.unit)
    from charbot.evaluation.likelihood import likelihood

    turns, before = talk.session.turns, talk.settings.context_turns
    examples = [response_example(turns[max(0, index - before) : index], turns[index]) for index in indices]
    return likelihood(engine.model, engine.tokenizer, examples).bits_per_character


def _save(talk: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("/save FILE.md, .json, .jsonl for SillyTavern, or .txt for a script that `charbot scripts import` reads")
    try:
        path = Path(argument).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{argument}: {error}") from error
    save(talk.session, listed(talk.names), path)
    note(f"Saved to {path}.")


COMMANDS = {
    "help": _Command("this list", _help, alone=True),
    "persona": _Command("NAME: a new conversation with somebody else", _persona),
    "personas": _Command("who there is", _personas, alone=True),
    "about": _Command("who somebody is and likes to talk about; NAME: somebody else", _about),
    "with": _Command("NAME: somebody else takes part; Enter alone has the next one speak", _with),
    "without": _Command("NAME: somebody takes part no more", _without),
    "as": _Command("NAME: you are a character of the show; alone: yourself again", _as),
    "regenerate": _Command("another reply to the last message", _regenerate, alone=True),
    "why": _Command("the candidates of the last reply, and their scores", _why, alone=True),
    "pick": _Command("NUMBER, next or previous: another candidate of the last reply instead", _pick),
    "who": _Command("TEXT: who would have said it", _who),
    "edit": _Command("change your last message; NUMBER: 2 is the one before", _edit),
    "undo": _Command("take the last message and its reply back, or a reply that came by Enter alone", _undo, alone=True),
    "reset": _Command("start a new conversation with the same people", _reset, alone=True),
    "chats": _Command("your conversations; NUMBER or NAME: open that one", _chats),
    "rename": _Command("NAME: what this conversation is called", _rename),
    "set": _Command(f"KEY VALUE: change how replies are written; {listed(SETTABLE)} are the keys", _set),
    "show": _Command("how replies are written", _show, alone=True),
    "stats": _Command("figures of this conversation", _stats, alone=True),
    "save": _Command("FILE.md|.json|.jsonl|.txt: what was said; .jsonl is for SillyTavern", _save),
    "exit": _Command("leave (so does Ctrl-D)", lambda talk, argument: None, alone=True),
}
