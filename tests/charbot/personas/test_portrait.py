import shutil

import pytest

from charbot.dialogue import Utterance
from charbot.errors import BundleError
from charbot.personas.library import Library
from charbot.personas.portrait import Portrait, introduction, portrait, topics


def _chat(message: str, reply: str, name: str = "Ann") -> tuple[Utterance, ...]:
    return Utterance("user", message), Utterance(name, reply)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (["introduce yourself", "Who are you??", "WHO ARE YOU"], "Reply 1"),
        (["hi", "who am I talking to?"], "Reply 1"),
        (["hi", "who are you to judge?"], None),
        ([], None),
    ],
)
def test_an_introduction(messages: list[str], expected: str | None) -> None:
    assert introduction([_chat(message, f"Reply {at}") for at, message in enumerate(messages)]) == expected


def test_topics_are_what_the_persona_says_often_and_others_seldom() -> None:
    voice = [_chat("Is the kettle on, of all kettles?", "Darling, the kettles of Oslo! A kettle, I tell you.")] * 5
    voice += [_chat("And the weather?", "The weather is fine, darling. Oslo weather.")] * 4
    other = [_chat("Nice weather!", "Weather, weather.", "Bob")] * 9
    assert topics("Ann", voice, [voice, other]) == ["kettle", "weather"], "not kettles too"
    assert topics("Ann", voice, [voice, other * 9]) == ["kettle"], "everybody speaks of the weather"
    voice += [_chat("Oslo?", "OSLO no more.")]
    assert topics("Ann", voice, [voice, other], count=1) == ["Oslo"], "as it is spelled most often"


def test_a_portrait_needs_no_other_voice(library: Library) -> None:
    ann = library.find("ann")
    bob = shutil.copytree(ann, ann.with_name("bob"))
    (bob / "persona.json").write_text((bob / "persona.json").read_text().replace('"Ann"', '"Bob"'))
    (bob / "voice.json").write_text("damaged")
    assert portrait(Library(library.folders), "Ann") == Portrait(None, [])
    with pytest.raises(BundleError, match="is damaged"):
        portrait(Library(library.folders), "Bob")
