import torch

from charbot.models.language_model import LanguageModel
from charbot.models.response_selector import TURNS, Bags
from charbot.tokens.vocabulary import Vocabulary
from tests.conftest import tiny_model

NOTHING = torch.empty(0, dtype=torch.int64)


def _model(vocabulary: Vocabulary) -> LanguageModel:
    model = tiny_model(vocabulary, selector=8)
    assert model.selector is not None
    torch.nn.init.normal_(model.selector.weights)
    return model


def _turns(model: LanguageModel, said: list[list[list[int]]]) -> list[Bags]:
    """Bags of the turns before, the latest first, of conversations with TURNS turns each."""
    return [model.bags([torch.tensor(turns[back], dtype=torch.int64) for turns in said]) for back in range(TURNS)]


def test_texts_side_by_side_are_what_they_are_alone(vocabularies: dict[str, Vocabulary]) -> None:
    model = _model(vocabularies["word"])
    selector = model.selector
    assert selector is not None
    said = [[[5, 6], [7], [], [8, 9, 10]], [[], [5], [5, 5], []]]
    features = torch.randn(2, model.architecture.embedding)
    texts = [torch.tensor([6, 7, 8]), NOTHING, torch.tensor([9])]
    together = selector.score(selector.encode_context(_turns(model, said), features), selector.encode_response(model.bags(texts)))
    assert together.shape == (2, 3)
    for row in range(2):
        context = selector.encode_context(_turns(model, said[row : row + 1]), features[row : row + 1])
        for column, text in enumerate(texts):
            alone = selector.score(context, selector.encode_response(model.bags([text])))
            torch.testing.assert_close(alone, together[row : row + 1, column : column + 1])


def test_how_well_a_reply_follows_is_bounded_and_knows_no_order_of_words(vocabularies: dict[str, Vocabulary]) -> None:
    model = _model(vocabularies["word"])
    selector = model.selector
    assert selector is not None
    contexts = selector.encode_context(_turns(model, [[[5], [6], [7], [8]]]), torch.randn(1, model.architecture.embedding))
    forth, back, other = selector.encode_response(model.bags([torch.tensor(ids) for ids in ([5, 6, 7], [7, 6, 5], [9])]))
    torch.testing.assert_close(forth, back)
    assert not torch.allclose(forth, other)
    assert selector.score(contexts, forth[None]).abs() <= selector.logit_scale.exp()


def test_which_turn_said_something_counts(vocabularies: dict[str, Vocabulary]) -> None:
    model = _model(vocabularies["word"])
    selector = model.selector
    assert selector is not None
    features = torch.zeros(1, model.architecture.embedding)
    last = selector.encode_context(_turns(model, [[[5, 6], [], [], []]]), features)
    before = selector.encode_context(_turns(model, [[[], [5, 6], [], []]]), features)
    assert not torch.allclose(last, before)
