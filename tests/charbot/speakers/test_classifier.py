import pytest
import torch

from charbot.speakers.bilstm import BiLSTMSpeakerEncoder
from charbot.speakers.classifier import SpeakerClassifier, mixed
from charbot.speakers.ngrams import NgramClassifier, counted
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.vocabulary import build_vocabulary

_EMBEDDING = 8


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizer_for(
        build_vocabulary("word", [("Is there tea?", 1), ("There is tea.", 1)], [], min_characters=1, min_words=1)
    )


def _classifier(tokenizer: Tokenizer, share: float) -> SpeakerClassifier:
    torch.manual_seed(1)
    embedding = torch.randn(len(tokenizer.vocabulary), _EMBEDDING)
    reader = BiLSTMSpeakerEncoder(embedding, 3, 6)
    torch.nn.init.normal_(reader.output_weight)
    known = torch.tensor(sorted(counted("Is there tea?")), dtype=torch.int32)
    ngrams = NgramClassifier(known, torch.ones(len(known)), torch.randn(len(known), 3), torch.randn(3))
    return SpeakerClassifier(tokenizer, ngrams, reader.eval(), share)


def test_opinions_are_mixed(tokenizer: Tokenizer) -> None:
    lines = ["Is there tea?", "There!"]
    ngrams, reader = _classifier(tokenizer, 0.3).opinions(lines)
    torch.testing.assert_close(_classifier(tokenizer, 0.0).scores(lines), ngrams)
    torch.testing.assert_close(_classifier(tokenizer, 1.0).scores(lines), reader)
    found = _classifier(tokenizer, 0.3).scores(lines)
    torch.testing.assert_close(found.logsumexp(1), torch.zeros(2))
    torch.testing.assert_close(found, mixed(ngrams, reader, 0.3))
    assert not torch.allclose(ngrams, reader)


def test_what_was_fitted_comes_back(tokenizer: Tokenizer) -> None:
    model = _classifier(tokenizer, 0.4)
    again = SpeakerClassifier.load(tokenizer, model.reader.embedding, 6, 0.4, model.state())
    torch.testing.assert_close(again.scores(["Is there tea?"]), model.scores(["Is there tea?"]))


def test_other_weights_are_refused(tokenizer: Tokenizer) -> None:
    model = _classifier(tokenizer, 0.4)
    with pytest.raises(RuntimeError):
        SpeakerClassifier.load(tokenizer, model.reader.embedding, 7, 0.4, model.state())
    with pytest.raises(KeyError):
        SpeakerClassifier.load(tokenizer, model.reader.embedding, 6, 0.4, {})
