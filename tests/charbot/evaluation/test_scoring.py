import pytest

from charbot.evaluation.scoring import Scorer, score_lines
from charbot.personas.library import Library

LINES = [
    '{"id": "a", "context": [{"speaker": "Bob", "text": "More tea?"}, {"speaker": null, "text": "No."}], "reply": "Oh."}',
    "",
    '{"id": 7, "reply": "Ωmega"}',
]


def _nats(library: Library, unit: str) -> list[float]:
    scorer = Scorer(library, "ann", unit)  # type: ignore[arg-type]
    return [answer["nats"] for answer in score_lines(scorer, [LINES])]


def test_lines_in_and_out(shared_library: Library) -> None:
    answers = list(score_lines(Scorer(shared_library, "ann", "char"), [LINES]))
    assert [answer["id"] for answer in answers] == ["a", 7]
    assert [answer["chars"] for answer in answers] == [4, 6]
    assert all(answer["nats"] > 0 for answer in answers)
    assert set(answers[0]) == {"id", "nats", "chars"}


def test_both_is_a_mixture(shared_library: Library) -> None:
    char, word, both = (_nats(shared_library, unit) for unit in ("char", "word", "both"))
    for a, b, mixed in zip(char, word, both, strict=True):
        assert min(a, b) - 1e-6 < mixed < max(a, b) + 1e-6
        assert mixed not in (a, b)


def test_the_context_matters(shared_library: Library) -> None:
    scorer = Scorer(shared_library, "ann", "word")
    alone = next(score_lines(scorer, [['{"reply": "Oh."}']]))
    assert alone["nats"] != _nats(shared_library, "word")[0]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("{", "line 2: not JSON"),
        ("3", "line 2: must be a JSON object"),
        ('{"context": []}', "line 2: `reply` is missing"),
        ('{"reply": 3}', "line 2: `reply` must be text"),
        ('{"reply": "x", "context": "y"}', "line 2: `context` must be a list"),
        ('{"reply": "x", "context": [{"text": 3}]}', "line 2: `context` must be a list"),
        ('{"reply": "x", "context": [{"speaker": 3, "text": "y"}]}', "line 2: `context` must be a list"),
    ],
)
def test_a_bad_line_is_named(shared_library: Library, line: str, names: str) -> None:
    before, mistake, after = score_lines(
        Scorer(shared_library, "ann", "char"), [['{"reply": "fine"}', line, '{"reply": "fine"}']]
    )
    assert names in mistake["error"]
    assert before == after


def test_lines_are_counted_however_they_arrive(shared_library: Library) -> None:
    *_, mistake = score_lines(Scorer(shared_library, "ann", "char"), [LINES, LINES[:1], ["3"]])
    assert mistake["error"].startswith("line 5: ")
