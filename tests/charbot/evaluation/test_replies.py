import math

import pandas as pd
import pytest

from charbot.config import ChatSettings
from charbot.corpus.examples import response_example
from charbot.dialogue import Utterance
from charbot.errors import CorpusError
from charbot.evaluation.everyday import everyday_messages
from charbot.evaluation.replies import judge_of, reply_report, retrieval
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.generation.reranking import Candidate
from charbot.personas.library import Library

SETTINGS = ChatSettings(candidates=2, max_words=5)
TURN = Utterance("Bob", "More tea?")


def test_everyday_messages_are_many_and_different() -> None:
    assert len(everyday_messages()) == len(set(everyday_messages())) >= 150


@pytest.mark.slow
def test_a_report_has_its_figures(shared_library: Library, corpus: pd.DataFrame) -> None:
    judge = judge_of(corpus, ["Ann", "Bob", "Cy"])
    found = reply_report(Persona(shared_library, "ann"), corpus, judge, SETTINGS)
    # The show's people say the same few things in every episode.
    assert found["recognised_1_real"] == found["recognised_5_real"] == 1
    assert found["distinct_2_real"] < 0.2 < found["distinct_2"]
    assert found["copied"] == 0
    assert math.isnan(found["hits_at_1"]), "they have not twenty different lines"
    assert found["repeated"] < 0.7
    assert 0 < found["said_again"] < 1, "in chats of several messages"
    assert 0 < found["said_again_real"] < 1
    assert 0 < found["median_ms"] <= found["slowest_20th_ms"]


def test_retrieval_looks_for_the_true_reply(shared_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    persona = Persona(shared_library, "ann")
    lines = [f"line {i}" for i in range(30)]
    held_out = [response_example([TURN], TURN)] * len(lines)

    def longest_first(conversation: Conversation, texts: list[str]) -> tuple[Candidate, ...]:
        assert len(texts) == len(set(texts)) == 20
        return tuple(Candidate(text, 0, 0, 0, 0, 0) for text in sorted(texts, key=len, reverse=True))

    monkeypatch.setattr(persona, "rank", longest_first)
    hits, rank = retrieval(persona, held_out, [*lines[:-1], "the longest line of all"])
    assert hits == pytest.approx(1 / 30)
    assert 1 / 30 < rank < 0.5


def test_a_persona_without_held_out_answers_is_told(shared_library: Library, corpus: pd.DataFrame) -> None:
    judge = judge_of(corpus, ["Ann", "Bob"])
    assert judge is not None
    with pytest.raises(CorpusError, match="Ann answers nobody"):
        reply_report(Persona(shared_library, "ann"), corpus[corpus["split"] == "train"], judge, SETTINGS)


def test_the_judge_tells_those_apart_who_say_most(corpus: pd.DataFrame) -> None:
    judge = judge_of(corpus, ["Cy", "Ann", "Zed"])
    assert judge is not None
    assert judge.speakers == ["Ann", "Cy"]
    assert judge_of(corpus, ["Cy", "Zed"]) is None


def test_with_few_lines_what_can_be_measured_is(shared_library: Library, corpus: pd.DataFrame) -> None:
    few = corpus.assign(split=["test"] * 6 + ["train"] * (len(corpus) - 6))
    found = reply_report(Persona(shared_library, "ann"), few, None, SETTINGS)
    assert math.isnan(found["hits_at_1"])
    assert found["words"] > 0
    assert "recognised_1" not in found
