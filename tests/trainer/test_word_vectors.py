import pytest
import torch

import trainer.word_vectors
from trainer.word_vectors import word_vectors

CHATS = [
    *[[f"the {animal} eats a {food}", "it does"] for animal in ("goat", "sheep") for food in ("leaf", "hat", "thistle")] * 3,
    *[[f"we sail the {boat} to an {place}", "we do"] for boat in ("ferry", "raft") for place in ("island", "harbour")] * 3,
]
WORDS = ["the", "goat", "sheep", "ferry", "raft", "leaf", "hat", "island", "harbour", "never"]


def test_words_that_are_used_alike_are_near_each_other() -> None:
    vectors = word_vectors(CHATS, WORDS, 4, seed=1)
    assert vectors.shape == (len(WORDS), 4)
    torch.testing.assert_close(vectors.norm(dim=1), torch.tensor([1.0] * 9 + [0.0]))
    near = vectors @ vectors.t()
    for word, like, unlike in (("goat", "sheep", "ferry"), ("raft", "ferry", "goat"), ("leaf", "hat", "island")):
        assert near[WORDS.index(word), WORDS.index(like)] > near[WORDS.index(word), WORDS.index(unlike)] + 0.2


def test_however_many_conversations_are_counted_at_once_the_vectors_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = word_vectors(CHATS, WORDS, 4, seed=1)
    monkeypatch.setattr(trainer.word_vectors, "_AT_ONCE", 2)
    again = word_vectors(CHATS, WORDS, 4, seed=1)
    torch.testing.assert_close(vectors @ vectors.t(), again @ again.t())


def test_there_are_vectors_of_the_size_asked_for_though_there_are_fewer_words() -> None:
    assert word_vectors(CHATS, WORDS[:3], 8, seed=1).shape == (3, 8)
    assert not word_vectors([], WORDS, 4, seed=1).any()
