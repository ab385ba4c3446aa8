from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.aliases import CERTAIN, Scene, find_aliases

NAMES = ["Wilf", "WILFRED PYM", "Dora", "Dr. Dora", "Mr. Wilf", "Widl", "Priya 2", "The Goat", "Goat", "All", ""]


def scene(episode: str, *turns: str) -> Scene:
    """Turns as "Name: text"; without a text, something that names nobody."""
    return episode, [(name, text or "well, then.") for name, _, text in (turn.partition(": ") for turn in turns)]


def found(scenes: Sequence[Scene], *known: str) -> dict[str, tuple[str, bool]]:
    """Each alias with whom it means and whether that is certain."""
    return {one.name: (one.canonical, one.certainty >= CERTAIN) for one in find_aliases(scenes, known)}


REGULARS = [scene(f"e{i}", *["Barnaby", "Dora"] * 20) for i in range(10)]


@pytest.mark.parametrize(
    ("turns", "alias", "means"),
    [
        (["The Goat", "Dora", "Goat", "Dora", "Goat"], "The Goat", "Goat"),
        (["Mr Pym", "Dora", "Mr. Pym", "Dora", "Mr. Pym"], "Mr Pym", "Mr. Pym"),
        (["Pym", "Dora: Pym! Mr. Pym!", "Pym", "Dora", "Mr. Pym"], "Mr. Pym", "Pym"),
        (["Wilf", "Dora: Oh, Wilf Pym!", "Wilf Pym"], "Wilf Pym", "Wilf"),
        (["Pym", "Dora: Wilf Pym!", "Wilf Pym", "Dora", "Wilf Pym"], "Pym", "Wilf Pym"),
    ],
)
def test_names_of_one_person(turns: list[str], alias: str, means: str) -> None:
    assert found([*REGULARS, scene("x", *turns)])[alias] == (means, True)


@pytest.mark.parametrize(("guest", "regular"), [("Dad", "David"), ("Man", "Martin"), ("Son", "Simon"), ("Mel", "Michael")])
def test_a_guest_is_no_abbreviation(guest: str, regular: str) -> None:
    episodes = [scene(f"e{i}", *[regular, "Dora"] * 20) for i in range(10)]
    assert guest not in found([*episodes, scene("x", *[guest, "Dora"] * 5)])


def test_a_spelling_of_other_episodes_is_certain_unless_both_meet() -> None:
    theirs = [scene(f"f{i}", *["Barnaby Pym", "Dora: Oh, Barnaby Pym!"] * 20) for i in range(10)]
    assert found([*REGULARS, *theirs])["Barnaby Pym"] == ("Barnaby", True)
    both = scene("x", "Barnaby", "Dora", "Barnaby Pym")
    assert found([*REGULARS, *theirs, both])["Barnaby Pym"] == ("Barnaby", False)


def test_two_names_are_not_aliases_of_each_other() -> None:
    episodes = [scene(f"{name}{i}", *[name, "Dora"] * 20) for name in ("Wilf", "Wilf Pym") for i in range(10)]
    assert found(episodes) == {"Wilf": ("Wilf Pym", True)}


def test_an_abbreviation_stands_for_a_regular_who_is_missing() -> None:
    short = scene("x", *["Brby", "Dora"] * 5)
    assert found([*REGULARS, short])["Brby"] == ("Barnaby", True)
    assert found([*REGULARS, scene("x", *["Barn", "Dora"] * 5)])["Barn"] == ("Barnaby", True)
    assert "Brby" not in found([*REGULARS, scene("e1", *["Brby", "Dora"] * 5)])
    assert found([*REGULARS, scene("x", "Brby")])["Brby"] == ("Barnaby", False)


@pytest.mark.parametrize("turns", [["Hask", "Dora", "Dr. Hask", "Dora"] * 8, [*["Hask", "Dora"] * 8, *["Dr. Hask", "Dora"] * 8]])
def test_speakers_of_one_scene_are_different_people(turns: list[str]) -> None:
    scenes = [*REGULARS, scene("x", "Dora: Dr. Hask!", *turns)]
    assert found(scenes) == {"Dr. Hask": ("Hask", False)}
    apart = [scene(episode, "Dora: Dr. Hask!", *[name, "Dora"] * 8) for episode, name in (("x", "Hask"), ("x", "Dr. Hask"))]
    assert found([*REGULARS, *apart]) == {"Dr. Hask": ("Hask", True)}


def test_spellings_that_never_meet_are_suggested() -> None:
    scenes = [scene(f"e{i}", *[("Beverley", "Beverly")[i % 2], "Dora"] * 10) for i in range(6)]
    assert found(scenes) == {"Beverly": ("Beverley", False)}
    assert found([*scenes, scene("e9", "Beverly", "Dora", "Beverley")]) == {}


@pytest.mark.parametrize("slip", ["Banraby", "Barnby", "Barnnaby", "Barnavy"])
def test_a_typing_error_is_an_alias_of_the_speaker_beside_it(slip: str) -> None:
    scenes = [*REGULARS, scene("e1", "Dora", slip, "Dora")]
    (alias,) = find_aliases(scenes, ())
    assert (alias.name, alias.canonical) == (slip, "Barnaby")


def test_a_name_that_people_say_is_no_typing_error() -> None:
    assert found([*REGULARS, scene("e1", "Dora: Hi, Barnabo!", "Barnabo", "Dora")]) == {"Barnabo": ("Barnaby", False)}


def test_speakers_who_answer_each_other_are_no_certain_aliases() -> None:
    scenes = [*REGULARS, scene("x", "Wilf", "Dora: Wilf Pym!", "Wilf Pym", "Wilf")]
    assert found(scenes)["Wilf Pym"] == ("Wilf", False)


@pytest.mark.parametrize(
    "turns",
    [
        ["Wilf", "Dora: Wilf Pym! Wilf Oddy!", "Wilf Pym", "Dora", "Wilf Oddy"],  # two could be meant
        ["Barnaby", "Dora: Barnaby Oddy!", "Barnaby Oddy"],  # a regular's namesake
        ["Wilf", "Dora: Wilf!", "Wilf Pym"],  # a name that nobody uses
        ["Man", "Dora: A man! An old man.", "Old Man"],
        ["Goat", "Dora: A goat!", "Fat Goat"],
        ["Guard 1", "Dora", "Guard 2", "Dora", "Guard"],
        ["Wilf and Dora", "All", "Dora"],
        ["Mina", "Dora", "Nina"],
    ],
)
def test_different_people_stay_apart(turns: list[str]) -> None:
    assert not any(certain for _, certain in found([*REGULARS, scene("e1", *turns)]).values())


def test_listed_names_are_not_judged_again() -> None:
    scenes = [*REGULARS, scene("x", "The Goat", "Dora", "Goat", "Dora", "Goat")]
    assert found(scenes, "the goat") == {}


def test_an_alias_of_an_alias_means_the_last_name() -> None:
    scenes = [
        *REGULARS,
        scene("x", *["Mr Pym", "Dora", "Mr. Pym", "Dora", "Mr. Pym", "Dora: Pym! Mr. Pym!"], *["Pym", "Dora"] * 4),
    ]
    assert found(scenes)["Mr Pym"] == ("Pym", True)


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=8), max_size=6))
def test_certain_aliases_lead_to_names_that_are_no_aliases(scenes: list[list[str]]) -> None:
    aliases = find_aliases([(str(i), [(name, "Wilf Dora") for name in names]) for i, names in enumerate(scenes)], ())
    certain = {one.name: one.canonical for one in aliases if one.certainty >= CERTAIN}
    assert not set(certain) & set(certain.values())
    assert all(0 < one.certainty <= 1 for one in aliases)
    assert len({one.name for one in aliases}) == len(aliases)
