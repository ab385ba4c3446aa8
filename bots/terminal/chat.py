"""`charbot chat`: a conversation in the terminal."""

import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from prompt_toolkit.utils import get_cwidth

from bots.session import Session
from bots.terminal import saved_state
from bots.terminal.kept_chats import ChatStore, KeptChat, SavedChat
from bots.terminal.picker import Choice, choices, introduce
from bots.terminal.screen import Interrupt, listed, note, show, type_out
from bots.terminal.theme import THEMES, Theme
from charbot.config import SEEDS, ChatSettings, TerminalSettings
from charbot.dialogue import Utterance
from charbot.errors import CharbotError, UsageError
from charbot.generation.batching import BatchScheduler
from charbot.generation.persona import Persona
from charbot.models import LOADING
from charbot.personas.library import Library, match_name
from charbot.tokens.vocabulary import Unit

if TYPE_CHECKING:
    from charbot.speakers.identifier import SpeakerIdentifier

T = TypeVar("T")

SETTABLE = ("temperature", "top_p", "unit", "seed", "candidates", "max_words", "context_turns", "clean")
"""Settings that `/set` can change."""

_PROMPT_SECONDS = 1.0
"""Maximum seconds that loading models waits for the prompt to appear."""

_LAST_TURNS = 4
"""The turns that are shown of a conversation that is continued."""

_RECENT = 20
"""The last replies, which are not given again at once."""

_KEPT_APART = "Another program has changed or removed this conversation: yours is kept beside it from now on; /chats lists all."

_HINT = "Type a message and press Enter. /help lists the commands, Ctrl-D leaves."


@dataclass
class Chat:
    """A conversation in the terminal: its participants, settings and turns."""

    library: Library
    settings: ChatSettings
    """How replies are written now."""
    terminal: TerminalSettings
    store: ChatStore
    """Where conversations are kept."""
    scheduler: BatchScheduler
    loader: ThreadPoolExecutor
    """The thread that loads models, and runs other calls that need them."""
    startup_options: ChatSettings
    """How the configuration and the command line ask for replies to be written."""
    cast: list[Persona] = field(default_factory=list)
    """The personas that take part, in the order in which they reply."""
    user_character: str | None = None
    """The character that the user plays, if any."""
    session: Session = field(default_factory=Session)
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """The last replies, those that were picked, replaced or taken back too: they are not given again at once."""
    edit: Session | None = None
    """The session before the message that the user edits, if any."""
    hinted_at_english: bool = False
    """Whether the user knows that personas speak English only."""
    name: str | None = None
    """The name that the user gave the conversation, if any."""
    kept: KeptChat | None = None
    """The conversation as it was kept last."""
    unkept: bool = False
    """Whether the user knows that the conversation is not being kept."""
    prompt_ready: threading.Event = field(default_factory=threading.Event)
    """Set once the user can type."""
    interrupt: Interrupt = field(default_factory=Interrupt)
    _futures: "list[Future[Any]]" = field(default_factory=list)
    """Calls in other threads that may not be done yet."""

    @property
    def names(self) -> list[str]:
        """The names of the personas that take part."""
        return [persona.card.name for persona in self.cast]

    @property
    def persona(self) -> Persona:
        """The persona whose turn it is to reply."""
        return self.called(self.session.next_speaker(self.names))

    def called(self, name: str | None) -> Persona:
        """Return the persona of that name in the cast, or else the one whose turn it is to reply."""
        return next((persona for persona in self.cast if persona.card.name == name), None) or self.persona

    @cached_property
    def identifier(self) -> "SpeakerIdentifier":
        """The speaker identifier. Loading it blocks, so it is used inside `run_blocking`. Raises BundleError."""
        with LOADING:
            from charbot.speakers.identifier import SpeakerIdentifier

            return SpeakerIdentifier(self.library)

    @cached_property
    def _choices(self) -> list[Choice]:
        return choices(self.library)

    @property
    def theme(self) -> Theme:
        """The colours of names and shows."""
        return THEMES[self.terminal.theme]

    def style(self, name: str | None) -> str:
        """Return the style of a speaker's name (None: the user), which no other participant has."""
        present = [*self.names, *filter(None, [self.user_character, name])]
        return f"bold {self.theme.together(present, [choice.name for choice in self._choices])[name]}" if name else "bold"

    def show_style(self, show: str) -> str:
        """Return the colour of a show."""
        return self.theme.show(show, [choice.show for choice in self._choices])

    def join(self, *names: str) -> None:
        """Add personas to the cast, and load their models in the background.

        Raises BundleError, and UsageError where a persona takes part already, or is the character that the user plays.
        """
        personas = [Persona(self.library, name) for name in names]
        for persona in personas:
            if persona.card.name in self.names:
                raise UsageError(f"{persona.card.name} takes part already")
            if persona.card.name == self.user_character:
                raise UsageError(f"you are {persona.card.name}; /as alone makes you yourself again")
            persona.card.model(self.settings.unit)
        self.cast = self.cast + personas
        self._load()

    def leave(self, name: str) -> None:
        """Remove a persona from the cast. Raises UsageError where it is not in it, or alone."""
        leaving = match_name(name, self.names)
        if leaving is None:
            raise UsageError(f"{name!r} does not take part; {listed(self.names)} {'does' if len(self.names) == 1 else 'do'}")
        if len(self.cast) == 1:
            raise UsageError(f"{leaving} is alone with you; /persona has somebody else take the place")
        self.cast = [persona for persona in self.cast if persona.card.name != leaving]

    def start(self, *names: str) -> None:
        """Begin a new conversation with these personas; on an error, continue the old one. Raises BundleError."""
        before, self.cast = self.cast, []
        try:
            self.join(*names)
        except CharbotError:
            self.cast = before
            raise
        self.session, self.name, self.kept = Session(), None, None
        saved_state.save_last_persona(self.names[0])

    def resume(self, kept: KeptChat, overridden: Collection[str] = ()) -> None:
        """Continue a kept conversation; on an error, the present one. Raises BundleError.

        Its settings are kept too, except those newly asked for: see `SavedChat.settings_for`.
        """
        before = self.settings, self.user_character
        self.settings, self.user_character = kept.chat.settings_for(self.startup_options, overridden), kept.chat.user_character
        try:
            self.start(*kept.chat.cast)
        except CharbotError:
            self.settings, self.user_character = before
            raise
        self.session, self.name, self.kept = kept.chat.session, kept.chat.name, kept
        said = zip(self.session.turns, self.session.from_user, strict=True)
        self.recent.extend(turn.text for turn, from_user in said if not from_user)

    def change(self, settings: ChatSettings) -> None:
        """Use these settings from now on. Raises BundleError where a persona has no model of their unit."""
        for persona in self.cast:
            persona.card.model(settings.unit)
        self.settings = settings
        self._load()

    @property
    def is_busy(self) -> bool:
        """Whether a model is still being loaded, or a stopped reply still being written."""
        return any(not future.done() for future in self._futures)

    def _load(self) -> None:
        def load(persona: Persona, unit: Unit) -> None:
            # Importing torch keeps the CPU busy: let the prompt appear first.
            self.prompt_ready.wait(_PROMPT_SECONDS)
            persona.load(unit)

        for persona in self.cast:
            # Errors are ignored here: they come up again when a reply needs the model.
            self._futures.append(self.loader.submit(load, persona, self.settings.unit))

    def reply(self, session: Session, persona: Persona) -> None:
        """Have a persona reply to `session`, and show the reply.

        The chat's session becomes `session` with the reply; on Ctrl-C or an error it stays as it was. Raises CharbotError.
        """
        name = persona.card.name
        stop = threading.Event()
        seed = self.settings.seed
        # One seed per reply, so that a seeded conversation is repeatable as a whole without repeating itself.
        seed = None if seed is None else (seed + session.reply_count) % SEEDS
        try:
            show((self.style(name), f"{name}: "), end="")
            pending = self.scheduler.submit(
                persona, session.conversation, self.settings, seed=seed, avoid=tuple(self.recent), cancelled=stop.is_set
            )
            reply = self._wait(pending)
        except CharbotError:
            print()
            raise
        except KeyboardInterrupt:
            note("(stopped)")
            note(self._after_stop(session))
            return
        finally:
            # A stopped reply is not waited for: it ends at its next token.
            stop.set()
        self.session = session.add_reply(reply)
        self.recent.append(reply.text)
        # Before typing it out, so that nothing is lost if the terminal is closed meanwhile.
        problem = self._save()
        type_out(reply.text, get_cwidth(name) + 2, self.interrupt, stream=self.terminal.stream)
        if problem:
            note(problem)

    def _after_stop(self, session: Session) -> str:
        """Return what the user can do after the reply to `session` was stopped."""
        if session is self.session:
            return "/regenerate asks again, /undo takes your message back."
        return "Enter asks again." if session.turns == self.session.turns else "The reply before stays."

    def keep(self) -> None:
        """Save the conversation, and tell the user what is news about that."""
        if problem := self._save():
            note(problem)

    def _save(self) -> str | None:
        """Save the conversation, unless it is empty and new; return a message if it is not where it was, and that is news."""
        if not self.session.turns and self.kept is None:
            return None
        chat = SavedChat(self.name, tuple(self.names), self.user_character, self.session, self.settings, self.startup_options)
        before = self.kept
        try:
            self.kept = self.store.save(chat, before)
            self.unkept = False
        except OSError as error:
            is_news, self.unkept = not self.unkept, True
            return f"This conversation is not being kept: {error.strerror or error}." if is_news else None
        return None if before is None or before.path == self.kept.path else _KEPT_APART

    def run_blocking(self, call: Callable[[], T]) -> T:
        """Return the result of a call that needs a model, made in the loader's thread.

        Raises CharbotError where Ctrl-C is pressed, and whatever the call raises.
        """
        try:
            return self._wait(self.loader.submit(call))
        except KeyboardInterrupt:
            raise CharbotError("(stopped)") from None

    def _wait(self, future: "Future[T]") -> T:
        """Return the result of a future. Raises KeyboardInterrupt where Ctrl-C is pressed before it is done."""
        self._futures = [*(other for other in self._futures if not other.done()), future]
        while not wait([future], timeout=0.05).done:
            if self.interrupt.pressed:
                raise KeyboardInterrupt
        return future.result()


def greet(talk: Chat) -> None:
    """Print who takes part and, in a new conversation, how each introduces itself, else the last turns; then a hint."""
    for persona in talk.cast:
        card = persona.card
        show((talk.style(card.name), card.name), ("", " from "), (talk.show_style(card.show), card.show))
        if not talk.session.turns and (text := introduce(talk.library.find(card.name), card)):
            note(f'"{text}"')
    for turn in talk.session.turns[-_LAST_TURNS:]:
        show_turn(talk, turn)
    note(_HINT)


def show_turn(talk: Chat, turn: Utterance) -> None:
    """Print a turn of the conversation at once."""
    name = turn.speaker or "You"
    show((talk.style(turn.speaker), f"{name}: "), end="")
    type_out(turn.text, get_cwidth(name) + 2, talk.interrupt, stream=False)
