from importlib import resources
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from charbot.errors import ScriptError
from charbot.scripts.cast import Cast, cast_of, is_group, read_cast

CAST = Cast({"wilf": "Wilf", "wilfred pym": "Wilf", "mr. hassock jr": "Mr. Hassock Jr."})
SHIPPED: dict[str, dict[str, list[str]]] = yaml.safe_load(
    resources.files("charbot.scripts").joinpath("casts.yaml").read_text("utf-8")
)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Wilf", "Wilf"),
        ("WILF", "Wilf"),
        ("Wilfred  Pym", "Wilf"),
        ("wilf (off)", "Wilf"),
        ("Wilf [from the roof", "Wilf"),
        ("Wilf's voice", "Wilf"),
        ("WILF’S VOICE", "Wilf"),
        ("Wilf's voice (on the tape)", "Wilf"),
        ("Wilf.,:", "Wilf"),
        ("WILF V.O.", "Wilf"),
        ("Wilf vo", "Wilf"),
        ("Wilf O.S", "Wilf"),
        ("#WILF#", "Wilf"),
        ("MR. HASSOCK JR.", "Mr. Hassock Jr."),
        ("Mrs. Pym", "Mrs. Pym"),
        ("MRS. PYM", "Mrs. Pym"),
        ("THE QUEEN OF THE GOATS", "The Queen of the Goats"),
        ("the driver", "The Driver"),
        ("DJ Owl", "DJ Owl"),
        ("ÉLODIE", "Élodie"),
        ("M.J.", "M.J."),
        ("M.J.:", "M.J."),
        ("KING OTTO III", "King Otto III"),
        ("TV ANNOUNCER", "TV Announcer"),
        ("O'MARA", "O'Mara"),
        ("MRS. O’HARA", "Mrs. O’Hara"),
        ("ANNE-MARIE", "Anne-Marie"),
        ("Jean-paul", "Jean-Paul"),
        ("IVY", "Ivy"),
        ("(everyone)", "(everyone)"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_canonical(name: str, canonical: str) -> None:
    assert CAST.canonical(name) == canonical


@given(st.text("abC.,:()[] 's"))
def test_canonical_never_empties_a_name(name: str) -> None:
    assert bool(CAST.canonical(name)) == bool(name.strip())


@given(st.lists(st.sampled_from(["OWL", "THE", "OF", "GOAT", "7"]), min_size=1, max_size=4))
def test_a_shouted_name_is_the_same_name(words: list[str]) -> None:
    shouted = " ".join(words)
    assert CAST.canonical(CAST.canonical(shouted)) == CAST.canonical(shouted)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["A" + " " * 200_000 + "b", "A" + ",." * 100_000 + "b", "(" * 200_000, "[" * 200_000])
def test_a_very_long_name_is_quick(name: str) -> None:
    CAST.canonical(name)


@pytest.mark.parametrize(
    "name",
    [
        "All",
        "Wilf and Dora",
        "Dora & Barnaby",
        "Ned, Olga",
        "Ned/Olga",
        "BOTH",
        "Everyone",
        "Everybody",
        "The Boys",
        "KIDS",
        "crowd",
    ],
)
def test_groups(name: str) -> None:
    assert is_group(name)


@pytest.mark.parametrize("name", ["Andy", "Sandra", "Allie", "Wilf", "Mrs. Crowder", "Kid Brother", "The Boy", "Bandstand", ""])
def test_single_speakers_are_no_groups(name: str) -> None:
    assert not is_group(name)


@pytest.mark.parametrize("show", SHIPPED)
def test_shipped_casts_agree_with_themselves(show: str) -> None:
    cast = cast_of(show)
    claimed = [alias.casefold() for name, aliases in SHIPPED[show].items() for alias in {name, *aliases}]
    assert len(claimed) == len(set(claimed)), "two characters share an alias"
    for name, aliases in SHIPPED[show].items():
        assert not is_group(name)
        for alias in (name, name.upper(), f"{name} (off)", *aliases):
            assert cast.canonical(alias) == name, alias


def test_a_show_that_charbot_does_not_know_has_an_empty_cast() -> None:
    assert cast_of("Puddle Lane").aliases == {}


def test_what_a_user_lists_goes_over_what_charbot_ships() -> None:
    listed = {"South Park": {"Eric": ["cartman"], "The New One": []}}
    assert cast_of("South Park", listed).canonical("CARTMAN") == "Eric"
    assert cast_of("South Park", listed).canonical("STAN MARSH") == "Stan"
    assert cast_of("Friends", listed).canonical("CARTMAN") == "Cartman"


def test_a_cast_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cast.yaml"
    path.write_text("Puddle Lane:\n  Ned: [nedward, NED P.]\n  Olga:\n", "utf-8")
    assert read_cast(path) == {"Puddle Lane": {"Ned": ["nedward", "NED P."], "Olga": []}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"- Ned", "must hold, for each show"),
        (b"", "must hold, for each show"),
        (b"Puddle Lane: Ned", "`Puddle Lane` holds 'Ned'"),
        (b"Puddle Lane: {Ned: Nedward}", "`Puddle Lane`, `Ned` holds 'Nedward'"),
        (b"Puddle Lane: {Ned: [1]}", "`Puddle Lane`, `Ned` holds"),
        (b"a: [", "cannot be read as YAML"),
        (b"\xff", "cannot be read as YAML"),
        (b"Ned: 2020-13-45", "cannot be read as YAML: holds what is no value"),
        (b"[" * 100_000, "cannot be read as YAML: is nested too deeply"),
    ],
)
def test_a_wrong_cast_file_says_where(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "cast.yaml"
    path.write_bytes(content)
    with pytest.raises(ScriptError, match=problem) as error:
        read_cast(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
