"""`charbot chat`: a conversation in the terminal."""

import sys
import textwrap
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, WordCompleter
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import emacs_mode, has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.utils import get_cwidth

from bots.session import Session
from bots.terminal import keep
from bots.terminal.picker import Choice, choices, pick
from bots.terminal.screen import Interrupt, listed, note, show, type_out, typed_ahead
from bots.terminal.theme import THEMES, Theme
from charbot.config import ChatSettings, TerminalSettings
from charbot.errors import CharbotError, UsageError
from charbot.generation.batching import BatchScheduler
from charbot.generation.persona import Persona
from charbot.models import LOADING
from charbot.personas.library import Library
from charbot.text import MAX_MESSAGE, find_name, normalise
from charbot.tokens.vocabulary import UNITS, Unit

if TYPE_CHECKING:
    from charbot.speakers.identifier import SpeakerIdentifier

T = TypeVar("T")

SETTABLE = ("temperature", "unit", "seed", "candidates", "clean")
"""Settings that can be changed in the chat."""

_LATEST = 1.0
"""Seconds after which models are loaded, whether or not the user can type by then."""

_CUT = "..."

_HINT = "Type a message and press Enter. /help lists the commands, Ctrl-D leaves."


@dataclass
class Chat:
    """One conversation on the screen: who takes part, whom the user plays, and what was said. `settings` is how replies
    are written, `asked` how they were to be when the chat began; `shown` is set once the user can type."""

    library: Library
    settings: ChatSettings
    terminal: TerminalSettings
    scheduler: BatchScheduler
    loader: ThreadPoolExecutor
    asked: ChatSettings
    cast: list[Persona] = field(default_factory=list)
    me: str | None = None
    session: Session = field(default_factory=Session)
    stopped: tuple[Session, Session, str] | None = None
    """The conversation when a reply to it was stopped, the one that the reply was to be to, and whose it was to be."""
    shown: threading.Event = field(default_factory=threading.Event)
    interrupt: Interrupt = field(default_factory=Interrupt)

    @property
    def names(self) -> list[str]:
        """Who takes part."""
        return [persona.card.name for persona in self.cast]

    @property
    def persona(self) -> Persona:
        """Whose turn it is to reply."""
        return self.called(self.session.next_of(self.names))

    def called(self, name: str | None) -> Persona:
        """Who takes part under a name; where nobody does, whose turn it is."""
        return next((persona for persona in self.cast if persona.card.name == name), None) or self.persona

    @cached_property
    def identifier(self) -> "SpeakerIdentifier":
        """Tells who would have said something. It waits: see `outcome`. Raises BundleError."""
        with LOADING:
            from charbot.speakers.identifier import SpeakerIdentifier

            return SpeakerIdentifier(self.library)

    @cached_property
    def _choices(self) -> list[Choice]:
        return choices(self.library)

    @property
    def theme(self) -> Theme:
        """The colours on the screen."""
        return THEMES[self.terminal.theme]

    def style(self, name: str | None) -> str:
        """The style of a speaker's name: no two who take part look alike."""
        present = [*self.names, *filter(None, [self.me, name])]
        return f"bold {self.theme.together(present, [one.name for one in self._choices])[name]}" if name else "bold"

    def show_style(self, show: str) -> str:
        """The colour of a show."""
        return self.theme.show(show, [one.show for one in self._choices])

    def join(self, *names: str) -> None:
        """Has personas take part, and loads their models while the user types. Raises BundleError, and UsageError where
        they do already."""
        personas = [Persona(self.library, name, self.settings) for name in names]
        for persona in personas:
            if persona.card.name in self.names:
                raise UsageError(f"{persona.card.name} takes part already")
            persona.card.fit(self.settings.unit)
        self.cast = self.cast + personas
        self._load()

    def leave(self, name: str) -> None:
        """Has a persona take part no more. Raises UsageError."""
        found, hint = find_name(name, self.names)
        if found is None:
            raise UsageError(f"{name!r} does not take part.{hint}")
        if len(self.cast) == 1:
            raise UsageError(f"{found} is alone with you; /persona has somebody else take the place")
        self.cast = [persona for persona in self.cast if persona.card.name != found]

    def start(self, *names: str) -> None:
        """A new conversation with these personas. On an error the old one goes on. Raises BundleError."""
        before, self.cast = self.cast, []
        try:
            self.join(*names)
        except CharbotError:
            self.cast = before
            raise
        self.session = Session()
        keep.remember(self.names[0])

    def change(self, settings: ChatSettings) -> None:
        """Replies in another way from now on. Raises BundleError where somebody has no such model."""
        for persona in self.cast:
            persona.card.fit(settings.unit)
        self.settings = settings
        self.cast = [persona.under(settings) for persona in self.cast]
        self._load()

    def _load(self) -> None:
        def load(persona: Persona, unit: Unit) -> None:
            # To import torch takes the processor from whatever else is to be done: first, the user can type.
            self.shown.wait(_LATEST)
            persona.load(unit)

        for persona in self.cast:
            # What goes wrong is told when a reply needs it.
            self.loader.submit(load, persona, self.settings.unit)

    def reply(self, session: Session, persona: Persona) -> None:
        """Has somebody reply, and shows it; the conversation then is `session` and the reply. On Ctrl-C, or an error, it
        stays as it was. Raises CharbotError."""
        name = persona.card.name
        stop = threading.Event()
        seed = self.settings.seed
        # Another seed for each reply, so that a seeded conversation is repeatable as a whole.
        seed = None if seed is None else seed + session.given
        try:
            show((self.style(name), f"{name}: "), end="")
            reply = self._come(self.scheduler.submit(persona, session.conversation, seed=seed, cancelled=stop.is_set))
        except CharbotError:
            print()
            raise
        except KeyboardInterrupt:
            self.stopped = self.session, session, name
            note("(stopped; /regenerate asks again)")
            return
        finally:
            # Nobody waits for a stopped reply: it ends by itself at its next token.
            stop.set()
        self.session = session.answered(reply)
        # First, so that nothing is lost where the terminal is closed meanwhile.
        self.keep()
        type_out(reply.text, len(name) + 2, self.interrupt, stream=self.terminal.stream)

    def keep(self) -> None:
        """Keeps the conversation as it stands, to go on with later, once anybody has replied: until then the one before
        is worth more."""
        if self.session.given:
            keep.keep(keep.Kept(tuple(self.names), self.me, self.session, self.settings, self.asked))

    def outcome(self, call: Callable[[], T]) -> T:
        """What a call brings that needs a model. Raises CharbotError where Ctrl-C is pressed, and what the call does."""
        try:
            return self._come(self.loader.submit(call))
        except KeyboardInterrupt:
            raise CharbotError("(stopped)") from None

    def _come(self, future: "Future[T]") -> T:
        """What another thread brings. Raises KeyboardInterrupt where Ctrl-C is pressed before it does."""
        while not wait([future], timeout=0.05).done:
            if self.interrupt.pressed:
                raise KeyboardInterrupt
        return future.result()


def chat(
    library: Library,
    name: str | None,
    settings: ChatSettings,
    terminal: TerminalSettings,
    *,
    resume: bool = False,
    given: Collection[str] = (),
) -> int:
    """Talks until the user leaves. A conversation that goes on takes over the settings that are `given`, by their names, and
    those that changed. Returns the exit code. Raises UsageError, BundleError."""
    from bots.terminal.commands import COMMANDS

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("chat needs a terminal; in a pipe use `charbot say PERSONA`")
    kept = None
    if resume:
        try:
            kept = keep.last()
        except ValueError as error:
            note(f"{error}; a new one begins")
    names = list(kept.cast) if kept else [name or settings.persona or pick(library, THEMES[terminal.theme], keep.last_persona())]
    if names == [None]:
        return 0
    # Both threads are waited for: to leave in the middle of torch's import would abort the process.
    with BatchScheduler() as scheduler, ThreadPoolExecutor(1) as loader:
        now = kept.settings_for(settings, given) if kept else settings
        talk = Chat(library, now, terminal, scheduler, loader, settings)
        talk.start(*(one for one in names if one))
        if kept:
            talk.session, talk.me = kept.session, kept.me
        greet(talk)
        with typed_ahead():
            return _converse(talk, _prompt(talk, _completer(talk, COMMANDS)))


def _converse(talk: Chat, prompt: PromptSession[str]) -> int:
    from bots.terminal.commands import is_command, run

    while True:
        try:
            text = prompt.prompt(FormattedText([(talk.style(talk.me), f"{talk.me or 'You'}: ")]), handle_sigint=False)
            with typed_ahead(talk.interrupt):
                if not is_command(text):
                    hear(talk, text)
                elif not run(talk, text):
                    return 0
        except KeyboardInterrupt:
            note("Ctrl-D, or /exit, leaves.")
        except EOFError:
            return 0
        except CharbotError as error:
            note(str(error))


def hear(talk: Chat, text: str) -> None:
    """What the user said, and the reply to it. Where several personas take part, nothing lets them go on among themselves."""
    if len(normalise(text)) > MAX_MESSAGE:
        note(f"That is long: only its last {MAX_MESSAGE:,} characters are read.")
    session = talk.session.add_message(text, talk.me)
    if session is talk.session:
        if len(talk.cast) < 2:
            return
        session = session.unasked()
    talk.reply(session, talk.persona)


def greet(talk: Chat) -> None:
    """Says who takes part, and what was said last where a conversation goes on."""
    for persona in talk.cast:
        style = talk.show_style(persona.card.show)
        show((talk.style(persona.card.name), persona.card.name), ("", " from "), (style, persona.card.show))
    for turn in talk.session.turns[-4:]:
        show((talk.style(turn.speaker), f"{turn.speaker or 'You'}: "), ("", turn.text))
    note(_HINT)


def _completer(talk: Chat, commands: Iterable[str]) -> Completer:
    fixed = [f"/{name}" for name in commands]
    fixed += [f"/{name} {person}" for name in ("persona", "with", "as") for person in talk.library.personas]
    fixed += [f"/set {key}" for key in SETTABLE] + [f"/set unit {unit}" for unit in UNITS]

    def words() -> list[str]:
        return fixed + [f"/without {name}" for name in talk.names]

    return WordCompleter(words, sentence=True, ignore_case=True)


def _prompt(talk: Chat, completer: Completer) -> PromptSession[str]:
    keys = KeyBindings()

    # Not where history is searched: there it takes what was found.
    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    # To vi's users, Escape and then Enter are two keys.
    @keys.add("escape", "enter", filter=emacs_mode)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    def status() -> str:
        return _status(talk, get_app().output.get_size().columns)

    session: PromptSession[str] = PromptSession(
        history=keep.history(),
        auto_suggest=AutoSuggestFromHistory(),
        completer=completer,
        complete_while_typing=False,
        multiline=True,
        key_bindings=keys,
        editing_mode=EditingMode.VI if talk.terminal.keys == "vi" else EditingMode.EMACS,
        enable_suspend=True,
        bottom_toolbar=status,
    )
    session.app.after_render += lambda _: talk.shown.set()
    return session


def _status(talk: Chat, width: int) -> str:
    """Who takes part and how replies are written, the most important first; what is not wide enough for the rest is left
    out."""
    settings = talk.settings
    parts = [settings.unit, f"temperature {settings.temperature:g}"]
    parts += [f"seed {settings.seed}"] if settings.seed is not None else []
    parts += [f"{talk.session.seconds * 1000:.0f} ms"] if talk.session.candidates else []
    bar = textwrap.shorten(listed(talk.names), max(width, len(_CUT)), placeholder=_CUT)
    for part in parts:
        if get_cwidth(f"{bar} · {part}") > width:
            break
        bar = f"{bar} · {part}"
    return bar
