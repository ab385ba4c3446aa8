from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.assembly import LineTag, Omission, assemble
from charbot.scripts.line import Turn


def name(line: int, text: str = "NED") -> LineTag:
    return LineTag(line, "name", text)


def speech(line: int, text: str) -> LineTag:
    return LineTag(line, "speech", text)


def scene(line: int, text: str = "") -> LineTag:
    return LineTag(line, "scene", text)


def test_speech_belongs_to_the_name_before_it() -> None:
    source = assemble([name(1), speech(2, "Hello,"), speech(3, "there."), name(5, "OLGA"), speech(5, "Hi.")], "[")
    assert source.turns == (Turn(0, "NED", "Hello, there.", (), 1), Turn(0, "OLGA", "Hi.", (), 5))
    assert (source.kept, source.omissions) == (4, ())


def test_speech_before_any_name_is_said_by_nobody() -> None:
    source = assemble([speech(1, "Hello."), name(2), speech(2, "Hi.")], "[")
    assert source.omissions == (Omission(1, "said by nobody", "Hello."),)
    assert len(source.turns) == source.kept == 1


def test_a_turn_may_have_an_empty_name() -> None:
    assert assemble([name(1, ""), speech(1, "Hello.")], "[").turns == (Turn(0, "", "Hello."),)


def test_directions_run_on_over_lines() -> None:
    source = assemble([name(1), speech(1, "Well [he"), speech(2, "walks"), speech(3, "off] then.")], "[")
    assert source.turns == (Turn(0, "NED", "Well then.", ("he walks off",)),)
    assert source.kept == 2
    assert source.omissions == (Omission(2, "stage direction", "walks"),)


@pytest.mark.parametrize(
    ("spoken", "reason"),
    [([], "nothing said"), (["[nods]"], "stage direction"), (["  "], "nothing said"), (["\0"], "nothing said")],
)
def test_a_speaker_without_speech_has_no_turn(spoken: list[str], reason: str) -> None:
    source = assemble([name(1), *(speech(1, text) for text in spoken), name(2, "OLGA"), speech(2, "Hi.")], "[")
    assert [turn.speaker for turn in source.turns] == ["OLGA"]
    assert [(omission.line, omission.reason) for omission in source.omissions] == [(1, reason)]


def test_the_speaker_continues_after_an_aside() -> None:
    source = assemble([name(1), speech(1, "One."), LineTag(2, "aside", "A goat.", "narration"), speech(3, "Two.")], "[")
    assert [turn.text for turn in source.turns] == ["One. Two."]
    assert source.omissions == (Omission(2, "narration", "A goat."),)


@pytest.mark.parametrize("tag", [LineTag(2, "omission", "x", "narration"), scene(2, "x"), scene(2), LineTag(2, "episode", "x")])
def test_other_tags_end_the_turn(tag: LineTag) -> None:
    source = assemble([name(1), speech(1, "One."), tag, speech(3, "Two.")], "[")
    assert [turn.text for turn in source.turns] == ["One."]
    assert source.omissions[-1] == Omission(3, "said by nobody", "Two.")


def test_a_scene_in_which_nobody_speaks_does_not_count() -> None:
    tags = [scene(1, "a"), name(2), speech(2, "One."), scene(3, "b"), scene(4), name(5), speech(5, "[nods]"), scene(6, "c")]
    source = assemble([*tags, name(7), speech(7, "Two."), name(8), speech(8, "Three.")], "[")
    assert [(turn.scene, turn.text) for turn in source.turns] == [(0, "One."), (1, "Two."), (1, "Three.")]
    assert [(omission.line, omission.reason) for omission in source.omissions] == [
        (1, "scene heading"), (3, "scene heading"), (5, "stage direction"), (6, "scene heading")
    ]  # fmt: skip


def test_an_episode_begins_a_scene() -> None:
    tags = [LineTag(1, "episode", "a"), name(1), speech(1, "One."), LineTag(2, "episode", "b"), name(2), speech(2, "Two.")]
    source = assemble(tags, "[")
    assert [(turn.episode, turn.scene) for turn in source.turns] == [("a", 0), ("b", 0)]
    assert (source.kept, source.omissions) == (2, ())


def test_an_omission_does_not_end_a_scene() -> None:
    source = assemble([name(1), speech(1, "One."), LineTag(2, "omission", "x", "y"), name(3), speech(3, "Two.")], "[")
    assert [turn.scene for turn in source.turns] == [0, 0]


def test_a_line_that_is_kept_in_part_is_kept() -> None:
    source = assemble([name(1), speech(1, "One."), scene(1, "a"), name(1, "OLGA"), speech(1, "[nods]")], "[")
    assert (source.kept, source.omissions) == (1, ())


def test_one_line_may_be_kept_in_part_and_omitted_in_part() -> None:
    tags = [LineTag(1, "name", "NED", part=1), LineTag(1, "speech", "Hi.", part=1), LineTag(1, "omission", "x", "y", 2)]
    source = assemble(tags, "[")
    assert (source.kept, len(source.omissions)) == (1, 1)


def test_an_omission_shows_how_its_line_begins() -> None:
    (omission,) = assemble([LineTag(3, "aside", "  a  goat " + "x" * 200, "narration")], "[").omissions
    assert omission.line == 3
    assert omission.excerpt.startswith("a goat xx")
    assert len(omission.excerpt) <= 80


def test_no_tags_make_an_empty_transcript() -> None:
    source = assemble([], "[")
    assert (source.turns, source.kept, source.omissions) == ((), 0, ())


KINDS = st.sampled_from(["name", "speech", "scene", "episode", "aside", "omission"])
TEXTS = st.sampled_from(["NED", "Hello.", "[nods]", "[a", "b]", "\0", "(", "..."])


@given(st.lists(st.tuples(KINDS, TEXTS)))
def test_every_line_is_kept_or_left_out(kinds: list[tuple[str, str]]) -> None:
    tags = [LineTag(line, kind, text, "x") for line, (kind, text) in enumerate(kinds, 1)]  # type: ignore[arg-type]
    source = assemble(tags, "[")
    left_out = [omission.line for omission in source.omissions]
    said_nothing = sum(tag.kind == "episode" for tag in tags)
    assert left_out == sorted(set(left_out))
    assert source.kept + len(left_out) + said_nothing == len(tags)
    assert all(omission.reason for omission in source.omissions)
    assert all(turn.text for turn in source.turns)
    scenes = [0, *(turn.scene for turn in source.turns)]
    # An episode counts its scenes anew.
    fallen = [after for before, after in pairwise(scenes) if after not in (before, before + 1)]
    assert len(fallen) <= said_nothing
    assert not any(fallen)
    assert scenes[:2] in ([0], [0, 0])
