import pandas as pd
import pytest

from charbot.errors import CorpusError
from charbot.evaluation.report import base_report, persona_report
from charbot.personas.bundle import read_change, read_persona, write_persona
from charbot.personas.copy_guard import CopyGuard
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
    assert "char_others" not in persona


def test_without_test_episodes_there_is_no_report(shared_library: Library, corpus: pd.DataFrame) -> None:
    train = corpus[corpus["split"] == "train"]
    with pytest.raises(CorpusError, match=r"corpus\.test"):
        base_report(shared_library, train)
    with pytest.raises(CorpusError, match="Ann says nothing"):
        persona_report(shared_library, "ann", train, 4)


def test_other_personas_of_the_show_say_the_same_lines(library: Library, corpus: pd.DataFrame) -> None:
    ann = library.find("ann")
    card = read_persona(ann)
    models = {
        unit: (model_card.base, model_card.speaker, dict(model_card.scores), read_change(ann, model_card))
        for unit, model_card in card.models.items()
    }
    for name, show in (("Bob", "Demo"), ("Cy", "Elsewhere")):
        write_persona(
            ann.parent / name.lower(), name=name, show=show, rating="general", guard=CopyGuard.of([]), data={}, models=models
        )
    found = persona_report(Library(library.folders), "ann", corpus, 4)
    # Ann's change under another name is still Ann's, but Bob's own token is read before the reply.
    assert found["char_others"] == pytest.approx(found["char_persona"], rel=0.1)
    assert found["char_others"] != found["char_persona"]
