"""Which colours speakers and shows have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours as prompt_toolkit names them: for speakers, and for shows, which nobody's name has."""

    speakers: tuple[str, ...]
    shows: tuple[str, ...]

    def speaker(self, name: str, names: Sequence[str]) -> str:
        """The colour of one of `names`; neighbours differ."""
        return _dealt(self.speakers, name, names)

    def show(self, show: str, shows: Sequence[str]) -> str:
        """The colour of one of `shows`."""
        return _dealt(self.shows, show, shows)

    def together(self, present: Iterable[str], names: Sequence[str]) -> dict[str, str]:
        """The colours of those of `names` who are present: their own, or the next one that nobody has yet; once all are
        taken, underlined."""
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
    # Names of the 16 colours that every terminal has, and that its owner can read on its background.
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
