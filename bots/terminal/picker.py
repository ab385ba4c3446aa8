"""The persona picker: a list by show, filtered as the user types."""

from collections.abc import Sequence
from dataclasses import dataclass

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, VSplit, Window
from prompt_toolkit.utils import is_dumb_terminal

from bots.terminal.theme import Theme
from charbot.errors import BundleError
from charbot.personas.bundle import PersonaCard
from charbot.personas.library import Library, slug


@dataclass(frozen=True)
class Choice:
    """A persona in the list."""

    name: str
    show: str
    about: str
    """Its rating, bits per character and number of lines, as text."""


def choices(library: Library) -> list[Choice]:
    """Return every usable persona, sorted by show and name. Raises BundleError where there is none."""
    cards = [card for _, card in library.cards()]
    if not cards:
        raise BundleError(library.nobody)
    return sorted((Choice(card.name, card.show, _about(card)) for card in cards), key=lambda c: (c.show, c.name))


def missing(library: Library) -> str:
    """Return a line that names the unusable personas, empty where there are none."""
    names = ", ".join(library.unusable)
    return f"cannot be used: {names} (`charbot personas list` says why)" if names else ""


def _about(card: PersonaCard) -> str:
    lines = sum(card.data.get("lines", {}).values())
    bits = min((score for fit in card.fits.values() if (score := fit.scores.get("test_bits_per_character"))), default=None)
    well = f", {bits:.2f} bits a character" if bits else ""
    return f"{card.rating}{well}, {lines:,} lines"


def matching(found: Sequence[Choice], typed: str) -> list[Choice]:
    """Return the choices that have a word in their name or show that begins with `typed`."""
    wanted = slug(typed)
    return [one for one in found if any(f"-{slug(text)}".find(f"-{wanted}") >= 0 for text in (one.name, one.show))]


def pick(library: Library, theme: Theme, before: str | None = None) -> str | None:
    """Return the name that the user picks, preselecting `before`, or None if the user leaves. Raises BundleError."""
    found = choices(library)
    gone = missing(library)
    if is_dumb_terminal():
        return _pick_plainly(found, gone, before)
    typed = Buffer(multiline=False)
    at = next((i for i, one in enumerate(found) if before and slug(one.name) == slug(before)), 0)
    state = {"at": at}

    def shown() -> list[Choice]:
        return matching(found, typed.text)

    def rows() -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        names = [one.name for one in found]
        shows = [one.show for one in found]
        listed = shown()
        for i, one in enumerate(listed):
            if i == 0 or listed[i - 1].show != one.show:
                parts.append((f"bold underline {theme.show(one.show, shows)}", f"{one.show}\n"))
            chosen = i == state["at"]
            style = f"{theme.speaker(one.name, names)} {'reverse' if chosen else ''}"
            parts.append((style, f" {'>' if chosen else ' '} {one.name:14}"))
            parts.append(("ansibrightblack", f" {one.about}\n"))
        return parts or [("ansibrightblack", "nobody of that name\n")]

    def cursor() -> Point:
        above = shown()[: state["at"] + 1]
        return Point(0, max(0, len(above) - 1 + len({one.show for one in above})))

    keys = KeyBindings()

    def move(by: int) -> None:
        state["at"] = max(0, min(len(shown()) - 1, state["at"] + by))

    for key, by in (("up", -1), ("down", 1), ("c-p", -1), ("c-n", 1), ("s-tab", -1), ("tab", 1), ("pageup", -8), ("pagedown", 8)):
        keys.add(key)(lambda event, by=by: move(by))

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if shown():
            event.app.exit(result=shown()[state["at"]].name)

    for key in ("c-c", "c-d", "escape"):
        keys.add(key)(lambda event: event.app.exit(result=None))

    keys.add("c-z")(lambda event: event.app.suspend_to_background())

    typed.on_text_changed += lambda _: state.update(at=0)
    question = VSplit(
        [Window(FormattedTextControl("Who do you want to talk to? "), dont_extend_width=True), Window(BufferControl(typed))]
    )
    question.height = 1
    body = Window(FormattedTextControl(rows, get_cursor_position=cursor), wrap_lines=False)
    below = Window(FormattedTextControl([("ansibrightblack", gone)]), wrap_lines=True, dont_extend_height=True)
    app: Application[str | None] = Application(
        Layout(HSplit([question, body, below] if gone else [question, body]), question), key_bindings=keys, erase_when_done=True
    )
    app.ttimeoutlen = 0.05
    return app.run()


def _pick_plainly(found: Sequence[Choice], gone: str, before: str | None) -> str | None:
    for number, one in enumerate(found, start=1):
        print(f"{number:3}  {one.name} ({one.show}): {one.about}")
    if gone:
        print(gone)
    names = {slug(one.name): one.name for one in found}
    names |= {str(number): one.name for number, one in enumerate(found, start=1)}
    last = names.get(slug(before or ""))
    while True:
        try:
            answer = input(f"Who do you want to talk to? (number or name{f'; Enter: {last}' if last else ''}) ").strip()
        except (KeyboardInterrupt, EOFError):
            return None
        if not answer and last:
            return last
        near = [names[slug(answer)]] if slug(answer) in names else [one.name for one in matching(found, answer) if answer]
        if len(near) == 1:
            return near[0]
        print(f"{' or '.join(near)}?" if near else "Nobody of that name.")
