import pytest
from rich.style import Style

from bots.terminal.screen import styled
from bots.terminal.theme import THEMES

NAMES = [f"Name {number}" for number in range(20)]


@pytest.mark.parametrize("name", THEMES)
def test_nobody_looks_like_anybody_else_in_a_chat(name: str) -> None:
    theme = THEMES[name]
    for present in (NAMES[:6], [NAMES[0], NAMES[6]], NAMES[3:15], [NAMES[1], "A stranger", NAMES[7]]):
        assert len(set(theme.together(present, NAMES).values())) == len(present)
    assert theme.together([NAMES[7], NAMES[7]], NAMES) == {NAMES[7]: theme.speaker(NAMES[7], NAMES)}
    assert not {theme.show(show, ("A", "B", "C")) for show in "ABC"} & {theme.speaker(name, NAMES) for name in NAMES}


@pytest.mark.parametrize("name", THEMES)
def test_tables_know_its_colours(name: str) -> None:
    for style in (*THEMES[name].speakers, *THEMES[name].shows):
        assert Style.parse(str(styled("Ann", f"bold {style}").style)).color


@pytest.mark.parametrize(("name", "background"), [("dark", "#1e1e1e"), ("light", "#ffffff")])
def test_it_is_read_on_its_background(name: str, background: str) -> None:
    # WCAG 2.2, 1.4.3: text stands out by 4.5.
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (*THEMES[name].speakers, *THEMES[name].shows):
        darker, lighter = sorted((luminance(colour), luminance(background)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour
