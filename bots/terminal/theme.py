"""The colours of speakers and shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """A set of colours, in prompt_toolkit's notation."""

    speakers: tuple[str, ...]
    """The colours of speakers' names."""
    shows: tuple[str, ...]
    """The colours of shows, none of which a speaker has."""

    def speaker(self, name: str, names: Sequence[str]) -> str:
        """Return the colour of one of `names`, empty where it is not among them; neighbours differ."""
        return _colour_of(self.speakers, name, names)

    def show(self, show: str, shows: Sequence[str]) -> str:
        """Return the colour of one of `shows`, empty where it is not among them."""
        return _colour_of(self.shows, show, shows)

    def together(self, present: Iterable[str], names: Sequence[str]) -> dict[str, str]:
        """Return a style for each name in `present`, no two alike as long as there are enough.

        A name gets its colour as `speaker` returns it or, if that is taken, the next free colour, then an underlined one.
        """
        styles: dict[str, str] = {}
        for name in dict.fromkeys(present):
            colour = self.speaker(name, names)
            start = self.speakers.index(colour) if colour else 0
            rotated = (*self.speakers[start:], *self.speakers[:start])
            free = [style for style in (*rotated, *(f"underline {colour}" for colour in rotated)) if style not in styles.values()]
            styles[name] = free[0] if free else colour
        return styles


def _colour_of(colours: Sequence[str], name: str, names: Sequence[str]) -> str:
    """Return the colour of one of `names`, which get the colours in turn, over and over; empty if it is not among them."""
    unique = list(dict.fromkeys(names))
    return colours[unique.index(name) % len(colours)] if name in unique else ""


THEMES: Mapping[str, Theme] = {
    # Of the 16 ANSI colours: every terminal has them, and its user has chosen them to be legible.
    "terminal": Theme(
        ("ansicyan", "ansigreen", "ansimagenta", "ansiyellow", "ansiblue", "ansired"),
        ("ansibrightblue", "ansibrightmagenta", "ansibrightred"),
    ),
    "dark": Theme(
        ("#56c8d8", "#8fd460", "#e08be0", "#e8c547", "#8ab4f8", "#ff8a80", "#ffab66", "#b8a9ff"),
        ("#cfd8dc", "#f5b8c8", "#b7e4c7"),
    ),
    "light": Theme(
        ("#006874", "#2e6b0f", "#8a2a8a", "#7a5b00", "#1a4fa0", "#b3261e", "#8f4700", "#5b3fb5"),
        ("#37474f", "#7b1f3f", "#1b5e3b"),
    ),
}
