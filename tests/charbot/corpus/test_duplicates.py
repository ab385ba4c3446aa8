from charbot.corpus.duplicates import line_key, shared_lines
from charbot.scripts.line import Line


def episode(name: str, numbers: range) -> list[Line]:
    return [
        Line("Puddle Lane", name, 0, i, "Ned", f"This is what I wanted to tell you about goat number {n}.")
        for i, n in enumerate(numbers)
    ]


def test_a_line_is_recognised_however_it_is_typed() -> None:
    assert line_key("What ARE you doing up there -- on the roof, Ned?!") == line_key(
        "What are you doing up there on the roof, Ned"
    )
    assert line_key("What are you doing?") is None


def test_episodes_that_share_many_lines_are_told() -> None:
    lines = [*episode("one", range(100)), *episode("two", range(90, 200)), *episode("three", range(300, 320))]
    assert shared_lines(lines) == {(("Puddle Lane", "one"), ("Puddle Lane", "two")): 10}


def test_a_few_shared_lines_are_chance() -> None:
    assert shared_lines([*episode("one", range(100)), *episode("two", range(93, 200))]) == {}
    # Ten of a thousand are too.
    assert shared_lines([*episode("one", range(1000)), *episode("two", range(990, 2000))]) == {}


def test_what_everybody_says_is_no_sign() -> None:
    assert shared_lines([line for name in "abcdef" for line in episode(name, range(50))]) == {}
