"""The persona picker: a list by show, filtered as the user types."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, VSplit, Window
from prompt_toolkit.utils import is_dumb_terminal

from bots.terminal.screen import ignore_mouse
from bots.terminal.theme import Theme
from charbot.errors import BundleError
from charbot.personas.bundle import PersonaCard, read_voice
from charbot.personas.library import Library, slug
from charbot.personas.portrait import introduction
from charbot.text import printable


@dataclass(frozen=True)
class Choice:
    """A persona in the list."""

    folder: Path
    card: PersonaCard

    @property
    def name(self) -> str:
        """The persona's name."""
        return self.card.name

    @property
    def show(self) -> str:
        """The show that it is from."""
        return self.card.show

    @cached_property
    def about(self) -> str:
        """How it introduces itself or, without a voice, how much it has read; and whether it is for adults."""
        lines = sum(self.card.data.get("lines", {}).values())
        text = introduce(self.folder, self.card) or f"trained on {lines:,} lines"
        return f"(mature) {text}" if self.card.rating == "mature" else text


def choices(library: Library) -> list[Choice]:
    """Return every usable persona, sorted by show and name. Raises BundleError where there is none."""
    offered = [Choice(folder, card) for folder, card in library.cards()]
    if not offered:
        raise BundleError(library.empty_message)
    return sorted(offered, key=lambda choice: (choice.show, choice.name))


def introduce(folder: Path, card: PersonaCard) -> str | None:
    """Return how a persona introduces itself, or None if its voice does not say so, or cannot be read."""
    try:
        return introduction(read_voice(folder, card))
    except BundleError:
        # It is reported when a reply needs the voice.
        return None


def missing(library: Library) -> str:
    """Return a line that names the unusable personas, empty where there are none."""
    names = ", ".join(library.broken)
    return f"cannot be used: {names} (`charbot personas list` says why)" if names else ""


def matching(offered: Sequence[Choice], typed: str) -> list[Choice]:
    """Return the choices that have a word in their name or show that begins with `typed`."""
    wanted = slug(typed)
    return [choice for choice in offered if any(f"-{wanted}" in f"-{slug(text)}" for text in (choice.name, choice.show))]


def pick(library: Library, theme: Theme, before: str | None = None) -> str | None:
    """Return the name that the user picks, preselecting `before`, or None if the user leaves. Raises BundleError."""
    offered = choices(library)
    broken = missing(library)
    if is_dumb_terminal():
        return _pick_plainly(offered, broken, before)
    return _Picker(offered, broken, theme, before).app.run()


class _Picker:
    """A full list of choices below an input line, as an application of prompt_toolkit."""

    def __init__(self, offered: Sequence[Choice], broken: str, theme: Theme, before: str | None) -> None:
        self._offered, self._theme = offered, theme
        self._selected = next((i for i, choice in enumerate(offered) if before and slug(choice.name) == slug(before)), 0)
        self._typed = Buffer(multiline=False)
        self._typed.on_text_changed += lambda _: self._move(-len(offered))
        self.app: Application[str | None] = Application(self._layout(broken), key_bindings=self._keys(), erase_when_done=True)
        self.app.ttimeoutlen = 0.05

    def _shown(self) -> list[Choice]:
        """Return the choices that match what is typed."""
        return matching(self._offered, self._typed.text)

    def _move(self, by: int) -> None:
        self._selected = max(0, min(len(self._shown()) - 1, self._selected + by))

    def _layout(self, broken: str) -> Layout:
        question = VSplit(
            [
                Window(FormattedTextControl("Who do you want to talk to? "), dont_extend_width=True),
                Window(BufferControl(self._typed)),
            ]
        )
        question.height = 1
        body = Window(FormattedTextControl(self._rows, get_cursor_position=self._cursor), wrap_lines=False)
        below = Window(FormattedTextControl(lambda: self._details(broken)), wrap_lines=True, dont_extend_height=True)
        return Layout(HSplit([question, body, below]), question)

    def _rows(self) -> StyleAndTextTuples:
        """Return the list as styled text: each show, and its personas below it."""
        parts: StyleAndTextTuples = []
        names = [choice.name for choice in self._offered]
        shows = [choice.show for choice in self._offered]
        shown = self._shown()
        for i, choice in enumerate(shown):
            if i == 0 or shown[i - 1].show != choice.show:
                parts.append((f"bold underline {self._theme.show(choice.show, shows)}", f"{choice.show}\n"))
            selected = i == self._selected
            style = f"{self._theme.speaker(choice.name, names)} {'reverse' if selected else ''}"
            parts.append((style, f" {'>' if selected else ' '} {choice.name:14}"))
            parts.append(("ansibrightblack", f" {printable(choice.about)}\n"))
        return parts or [("ansibrightblack", "nobody of that name or show; Backspace brings the others back, Esc leaves\n")]

    def _details(self, broken: str) -> StyleAndTextTuples:
        """Return what the selected row may have no room for, and who cannot be used."""
        texts = [choice.about for choice in self._shown()[self._selected : self._selected + 1]] + [broken]
        width = get_app().output.get_size().columns
        return [("ansibrightblack", "\n".join(textwrap.fill(printable(text), width) for text in texts if text))]

    def _cursor(self) -> Point:
        """Return the position of the selected row, which the window scrolls to."""
        above = self._shown()[: self._selected + 1]
        return Point(0, max(0, len(above) - 1 + len({choice.show for choice in above})))

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        ignore_mouse(keys)
        for names, by in ((("up", "c-p", "s-tab"), -1), (("down", "c-n", "tab"), 1), (("pageup",), -8), (("pagedown",), 8)):
            for key in names:
                keys.add(key)(lambda event, by=by: self._move(by))

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            if shown := self._shown():
                event.app.exit(result=shown[self._selected].name)

        # Of several pasted lines only one would be seen.
        @keys.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            self._typed.insert_text(" ".join(event.data.split()))

        for key in ("c-c", "c-d", "escape"):
            keys.add(key)(lambda event: event.app.exit(result=None))
        keys.add("c-z")(lambda event: event.app.suspend_to_background())
        return keys


def _pick_plainly(offered: Sequence[Choice], broken: str, before: str | None) -> str | None:
    for number, choice in enumerate(offered, start=1):
        print(printable(f"{number:3}  {choice.name} ({choice.show}): {choice.about}"))
    if broken:
        print(printable(broken))
    names = {slug(choice.name): choice.name for choice in offered}
    names |= {str(number): choice.name for number, choice in enumerate(offered, start=1)}
    last = names.get(slug(before or ""))
    while True:
        try:
            answer = input(f"Who do you want to talk to? (number or name{f'; Enter: {last}' if last else ''}) ").strip()
        except (KeyboardInterrupt, EOFError):
            return None
        if not answer and last:
            return last
        near = [names[slug(answer)]] if slug(answer) in names else [choice.name for choice in matching(offered, answer) if answer]
        if len(near) == 1:
            return near[0]
        known = f"Type a number from 1 to {len(offered)}, or how a name or show begins; Ctrl-D leaves."
        print(f"{' or '.join(near)}?" if near else f"Nobody of that name or show. {known}")
