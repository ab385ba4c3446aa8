from pathlib import Path

import pytest

from charbot.scripts.naming import episode_of, show_of


@pytest.mark.parametrize(
    ("path", "show"),
    [
        ("/x/friends/0101.html", "Friends"),
        ("/x/south_park/S01/S01E01.txt", "South Park"),
        ("/x/my-show/Season 2/a.txt", "My Show"),
        ("/x/Puddle Lane/season_10/s1/a.txt", "Puddle Lane"),
        ("/x/S01E01/a.txt", "S01e01"),
        ("/a.txt", "Unknown"),
        ("/S01/a.txt", "Unknown"),
        ("/x/show/../other/a.txt", "Other"),
        ("/x/goat farm/Series 1/01.txt", "Goat Farm"),
        ("/x/goat farm/Season One/01.txt", "Goat Farm"),
        ("/x/goat farm/season1/txt/01.txt", "Goat Farm"),
        ("/x/scripts/01.txt", "Scripts"),
        ("/x/goat_farm.zip/01.txt", "Goat Farm"),
        ("/x/goat_farm.tar.gz/Season 1/01.txt", "Goat Farm"),
    ],
)
def test_show_of(path: str, show: str) -> None:
    assert show_of(Path(path)) == show


@pytest.mark.parametrize(
    ("name", "episode"),
    [
        ("goat.farm.s01e03.txt", "S01E03"),
        ("Goat Farm - 1x03 - Hay.txt", "S01E03"),
        ("S1E3.txt", "S01E03"),
        ("season 1 episode 3.txt", "S01E03"),
        ("2010-05-03.txt", "2010-05-03"),
        ("Season 1/3.txt", "S01E03"),
        ("Season 1/103 - Hay.txt", "S01E03"),
        ("Series Two/ep 3.txt", "S02E03"),
        ("Season 1/hay.txt", "hay"),
        ("Hay 1920x1080.txt", "Hay 1920x1080"),
        ("0101.html", "S01E01"),
        ("1013.html", "S10E13"),
        ("S01E02.txt", "S01E02"),
        ("s01e02 - The Leak.txt", "S01E02"),
        ("0101uncut.html", "S01E01"),
        ("0212-0213.html", "S02E12"),
        ("20240131.txt", "20240131"),
        ("pilot.txt", "pilot"),
        ("the 0101.html", "the 0101"),
        ("101.html", "101"),
    ],
)
def test_episode_of(name: str, episode: str) -> None:
    assert episode_of(Path("x") / name) == episode
