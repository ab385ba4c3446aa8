from pathlib import Path
from string import Formatter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bots.discord_bot.texts import CATALOGUES, LIMIT, NoticeError, duration, pieces, refusal_text, text
from bots.discord_bot.timings import Timings
from charbot.errors import BusyError, UsageError
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import FakeDiscord
from tests.bots.discord_bot.harness import ME, add_persona, run, stage


@given(st.text(alphabet="ab \n", max_size=200), st.integers(1, 30))
def test_parts_are_short_and_nothing_is_lost(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(len(part) <= limit for part in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_parts_end_between_words() -> None:
    assert pieces("one two three", 8) == ["one two", "three"]
    assert pieces("Hi") == ["Hi"]
    assert [len(part) for part in pieces("x" * (LIMIT + 1))] == [LIMIT, 1]


def _placeholders(notice: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(notice)} - {None}


@pytest.mark.parametrize("path", sorted(CATALOGUES.iterdir()), ids=lambda path: path.stem)
def test_each_catalogue_has_all_keys_and_placeholders(path: Path) -> None:
    catalogue = yaml.safe_load(path.read_text("utf-8"))
    english = yaml.safe_load((CATALOGUES / "en.yaml").read_text("utf-8"))
    assert list(catalogue) == list(english)
    for key, notice in catalogue.items():
        assert _placeholders(notice) == _placeholders(english[key]), key
        assert 0 < len(notice) < 300, key
        if path.stem != "en" and key not in ("minute", "minutes"):
            assert notice != english[key], key


def test_notices_are_in_the_language_of_a_locale_or_in_english() -> None:
    assert text("not_yours", "de") == "Dieser Knopf ist für jemand anderen."
    assert text("not_yours", "pt-BR") == "Esse botão é para outra pessoa."
    assert text("not_yours", "es-419") == text("not_yours", "es-ES")
    for other in ("en-GB", "ja", "", "../x"):
        assert text("not_yours", other) == "That button is for somebody else."
    assert [duration(seconds, "de") for seconds in (0.4, 90, 100)] == ["1 Sekunde", "90 Sekunden", "2 Minuten"]


@run
async def test_users_read_notices_in_their_language(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(locale="de"), timings=Timings(notice=0.1), cooldown=3600.0) as on:
        for words in ("One", "crash"):
            await on.discord.say(f"{ME} {words}")
        assert await on.heard(2) == [
            "Ann clean 1: One",
            "1 habe ich nicht beantwortet. Zwischen zwei Nachrichten liegen hier für alle mindestens 60 Minuten; "
            "bis zu deiner nächsten sind es noch 60 Minuten.",
        ]
        await on.discord.say(f"{ME} crash", author=4001)
        assert (await on.heard(3))[2].startswith("Entschuldige")
        assert (await on.told("chat", message="Two")).startswith("Zwischen zwei Nachrichten")
        pressed = await on.discord.press(on.discord.messages[0], author=4002)
        await on.until(lambda: on.discord.told(pressed), 1)
        assert on.discord.told(pressed) == ["Dieser Knopf ist für jemand anderen."]
        assert (await on.told("forget-me")).startswith("Alles, was du mir gesagt")
        assert (await on.told("help")).startswith("Erwähne mich")
        assert (await on.told("privacy")).endswith("die dich zitieren.")
        assert await on.told("stop") == "Gerade läuft keine Szene."
        assert await on.told("reset") == "Ein neues Gespräch."
        assert await on.told("scene", personas="ann", author=4003) == "Eine Szene hat zwei bis 4 Personen: joey, ross"
        assert (await on.told("scene", personas="ann, zoe", author=4004)).startswith("zoe gibt es nicht.")


def test_refusals_are_in_the_language_of_who_is_refused() -> None:
    assert refusal_text(NoticeError("persona_gone", name="Zoe"), "fr").startswith("Zoe n'est plus là.")
    assert str(NoticeError("persona_gone", name="Zoe")).startswith("Zoe is not here any more.")
    assert refusal_text(BusyError("too many"), "de").startswith("Zu viele fragen")
    assert refusal_text(UsageError("That needs webhooks."), "de") == "That needs webhooks."


@run
async def test_a_scene_that_is_cut_off_says_so_in_the_language_of_its_user(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, FakeDiscord(locale="de"), timings=Timings(scene_pause=60.0)) as on:
        asked = await on.discord.command("scene", personas="ann, bob")
        await on.until(lambda: on.discord.told(asked)[1:], 1)
    assert on.discord.told(asked)[-1].startswith("Ich muss kurz weg.")
