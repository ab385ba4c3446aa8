import pandas as pd
import pytest

from charbot.errors import CorpusError
from charbot.evaluation.report import base_report, persona_report
from charbot.personas.library import Library


def test_reports_have_their_figures(shared_library: Library, corpus: pd.DataFrame) -> None:
    base = base_report(shared_library, corpus)
    assert base["lines"] == (corpus["split"] == "test").sum()
    # Random weights know nothing: about eight bits for one of some 300 characters.
    assert 4 < base["char_bits_per_character"] < 12
    assert base["word_perplexity"] > 10
    persona = persona_report(shared_library, "ann", corpus, 4)
    assert persona["persona"] == "Ann"
    assert persona["lines"] == ((corpus["split"] == "test") & (corpus["speaker"] == "Ann")).sum()
    assert persona["char_base"] != persona["char_persona"]


def test_without_test_episodes_there_is_no_report(shared_library: Library, corpus: pd.DataFrame) -> None:
    train = corpus[corpus["split"] == "train"]
    with pytest.raises(CorpusError, match=r"corpus\.test"):
        base_report(shared_library, train)
    with pytest.raises(CorpusError, match="Ann says nothing"):
        persona_report(shared_library, "ann", train, 4)
