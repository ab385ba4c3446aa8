import pytest

from charbot.corpus.examples import full_example, response_example
from charbot.dialogue import Utterance
from charbot.tokens import tokenizer_for
from charbot.tokens.render import render, render_turn
from charbot.tokens.vocabulary import END, UNITS, Unit, Vocabulary

TURNS = (Utterance("Bob", "More tea?"), Utterance(None, "No."))


@pytest.mark.parametrize("unit", UNITS)
def test_turn_by_turn_is_how_training_reads(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    tokenizer = tokenizer_for(vocabularies[unit])
    trained = render(tokenizer, response_example(TURNS, Utterance("Ann", "Oh."))).ids.tolist()
    turns = [id_ for turn in TURNS for id_ in render_turn(tokenizer, turn)]
    vocabulary = tokenizer.vocabulary
    assert trained == [vocabulary.scene, *turns, vocabulary.speaker("Ann"), *tokenizer.encode("Oh."), END]


@pytest.mark.parametrize("unit", UNITS)
def test_text_and_ends_are_predicted_and_speakers_are_not(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies[unit]
    rendered = render(tokenizer_for(vocabulary), full_example(TURNS))
    for id_, predicted in zip(rendered.ids, rendered.predicted, strict=True):
        assert predicted == (id_ < vocabulary.predicted)
    assert rendered.ids[0] == vocabulary.scene
    assert rendered.ids[1] == vocabulary.speaker("Bob")


def test_only_the_reply_of_an_exchange_is_predicted(vocabularies: dict[str, Vocabulary]) -> None:
    tokenizer = tokenizer_for(vocabularies["char"])
    rendered = render(tokenizer, response_example(TURNS, Utterance("Ann", "Oh.")))
    assert rendered.predicted.sum() == len("Oh.") + 1
    assert rendered.predicted[-4:].all()
