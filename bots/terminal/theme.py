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
        return _dealt(self.speakers, name, names)

    def show(self, show: str, shows: Sequence[str]) -> str:
        """Return the colour of one of `shows`, empty where it is not among them."""
        return _dealt(self.shows, show, shows)

    def together(self, present: Iterable[str], names: Sequence[str]) -> dict[str, str]:
        """Return a style for each name in `present`, no two alike as long as there are enough.

        A name gets its own colour among `names` or, if that is taken, the next free one, then one that is underlined.
        """
        dealt: dict[str, str] = {}
        for name in dict.fromkeys(present):
            own = self.speaker(name, names)
            at = self.speakers.index(own) if own else 0
            turned = (*self.speakers[at:], *self.speakers[:at])
            free = [one for one in (*turned, *(f"underline {one}" for one in turned)) if one not in dealt.values()]
            dealt[name] = free[0] if free else own
        return dealt


def _dealt(colours: Sequence[str], one: str, known: Sequence[str]) -> str:
    places = list(dict.fromkeys(known))
    return colours[places.index(one) % len(colours)] if one in places else ""


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
