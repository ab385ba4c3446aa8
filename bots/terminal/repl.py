"""The loop of `charbot chat`: a prompt, what is typed there, and the commands after a slash."""

import os
import sys
import textwrap
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, WordCompleter
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition, emacs_mode, has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.vi_state import InputMode
from prompt_toolkit.utils import get_cwidth

from bots.session import Session
from bots.terminal import saved_state
from bots.terminal.chat import SETTABLE, Chat, greet
from bots.terminal.commands import COMMANDS, STEPS, is_command, run
from bots.terminal.kept_chats import ChatStore, KeptChat
from bots.terminal.picker import pick
from bots.terminal.screen import ignore_mouse, listed, note, raw_mode
from bots.terminal.theme import THEMES
from charbot.config import ChatSettings, TerminalSettings
from charbot.english import is_foreign
from charbot.errors import CharbotError, UsageError
from charbot.generation.batching import BatchScheduler
from charbot.personas.library import Library
from charbot.text import MAX_MESSAGE, normalise
from charbot.tokens.vocabulary import UNITS

_CUT = "..."


def chat(
    library: Library,
    settings: ChatSettings,
    terminal: TerminalSettings,
    *,
    persona: str | None = None,
    kept: KeptChat | None = None,
    overridden: Collection[str] = (),
) -> int:
    """Chat with a persona, or continue a kept conversation, until the user leaves; return the exit code.

    `overridden` are the names of settings that the command line gives. Raises UsageError, BundleError.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("chat needs a terminal; in a pipe use `charbot say PERSONA`")
    if kept is None:
        persona = persona or settings.persona or pick(library, THEMES[terminal.theme], saved_state.last_persona())
        if persona is None:
            return 0
    with BatchScheduler() as scheduler, ThreadPoolExecutor(1) as loader:
        talk = Chat(library, settings, terminal, ChatStore.default(), scheduler, loader, settings)
        if kept is not None:
            talk.resume(kept, overridden)
        elif persona is not None:
            talk.start(persona)
        greet(talk)
        with raw_mode():
            code = _converse(talk, _prompt(talk, _completer(talk, COMMANDS)))
        if talk.is_busy:
            # Leaving the block would wait for its threads: importing torch takes seconds. Nothing is left to be saved.
            sys.stdout.flush()
            os._exit(code)
        return code


def _converse(talk: Chat, prompt: PromptSession[str]) -> int:
    while True:
        before, talk.edit, present = talk.edit, None, talk.session
        draft = talk.session.turns[len(before.turns)].text if before else ""
        try:
            message = FormattedText([(talk.style(talk.user_character), f"{talk.user_character or 'You'}: ")])
            text = prompt.prompt(message, default=draft, handle_sigint=False)
            with raw_mode(talk.interrupt):
                if not is_command(text):
                    hear(talk, text, before)
                elif not run(talk, text):
                    return 0
        except KeyboardInterrupt:
            note("Nothing was changed." if before and talk.session is present else "Ctrl-D, or /exit, leaves.")
        except EOFError:
            return 0
        except CharbotError as error:
            note(str(error))


def hear(talk: Chat, text: str, before: Session | None = None) -> None:
    """Add a message of the user, after the session `before` (default: the present one), and show the reply to it.

    An empty message has the next persona speak where several take part. Raises UsageError if it is empty otherwise.
    """
    if len(normalise(text)) > MAX_MESSAGE:
        note(f"That is long: only its last {MAX_MESSAGE:,} characters are read.")
    if not talk.hinted_at_english and is_foreign(text):
        note(f"{listed(talk.names)} {'speaks' if len(talk.names) == 1 else 'speak'} English only.")
        talk.hinted_at_english = True
    before = before or talk.session
    session = before.add_message(text, talk.user_character)
    if session is not before:
        # Now, so that the message stays if there will be no reply.
        talk.session = session
        talk.keep()
    elif len(talk.cast) > 1:
        session = talk.session.begin_step()
    else:
        raise UsageError("Nothing was said: type a message, or /help.")
    talk.reply(session, talk.persona)


def _completer(talk: Chat, commands: Iterable[str]) -> Completer:
    fixed = [f"/{name}" for name in commands]
    fixed += [f"/{name} {person}" for name in ("persona", "about", "with", "as") for person in talk.library.personas]
    fixed += [f"/set {key}" for key in SETTABLE] + [f"/set unit {unit}" for unit in UNITS]

    def words() -> list[str]:
        return fixed + [f"/without {name}" for name in talk.names]

    return WordCompleter(words, sentence=True, ignore_case=True)


def _prompt(talk: Chat, completer: Completer) -> PromptSession[str]:
    keys = KeyBindings()
    ignore_mouse(keys)
    has_text = Condition(lambda: bool(get_app().current_buffer.text))

    # Only in the message itself: in history search, Enter accepts the match.
    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    # In vi mode, Escape and then Enter are two keys.
    @keys.add("escape", "enter", filter=emacs_mode)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    for key, step in zip("np", STEPS, strict=True):

        @keys.add("escape", key, filter=emacs_mode & ~has_text)
        def _(event: KeyPressEvent, step: str = step) -> None:
            event.app.exit(result=f"/pick {step}")

    def status() -> str:
        return _status(talk, get_app().output.get_size().columns)

    session: PromptSession[str] = PromptSession(
        history=saved_state.history(),
        auto_suggest=AutoSuggestFromHistory(),
        completer=completer,
        complete_while_typing=False,
        multiline=True,
        key_bindings=keys,
        editing_mode=EditingMode.VI if talk.terminal.keys == "vi" else EditingMode.EMACS,
        enable_suspend=True,
        enable_open_in_editor=True,
        bottom_toolbar=status,
    )
    session.app.after_render += lambda _: talk.prompt_ready.set()
    return session


def _status(talk: Chat, width: int) -> str:
    """Return the text of the bottom toolbar: the cast and the settings, most important first, as many as fit."""
    settings = talk.settings
    parts = [_vi_mode()] if talk.terminal.keys == "vi" else []
    parts += [settings.unit, f"temperature {settings.temperature:g}"]
    parts += [f"seed {settings.seed}"] if settings.seed is not None else []
    parts += [f"{talk.session.seconds * 1000:.0f} ms"] if talk.session.candidates else []
    bar = textwrap.shorten(listed(talk.names), max(width, len(_CUT)), placeholder=_CUT)
    for part in parts:
        if get_cwidth(f"{bar} · {part}") > width:
            break
        bar = f"{bar} · {part}"
    return bar


def _vi_mode() -> str:
    return "vi: normal" if get_app().vi_state.input_mode == InputMode.NAVIGATION else "vi: insert"
