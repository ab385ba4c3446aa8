from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.corpus.examples import full_example, response_example
from charbot.dialogue import Utterance
from charbot.tokens import tokenizer_for
from charbot.tokens.render import render
from charbot.tokens.vocabulary import Vocabulary, build_vocabulary
from trainer.stream import BatchStream

VOCABULARY: Vocabulary = build_vocabulary("char", [("abcdefgh", 1)], ["Ann", "Bob"], min_characters=1, min_words=1)
TOKENIZER = tokenizer_for(VOCABULARY)
SCENES = [full_example([Utterance("Ann", "abc"), Utterance("Bob", "defgh" * (i % 4))]) for i in range(20)]


def _stream(*, batch: int = 3, window: int = 7, anonymous: float = 0.0, keep: str | None = None) -> BatchStream:
    return BatchStream(TOKENIZER, SCENES, batch=batch, window=window, anonymous=anonymous, seed=5, keep=keep)


def _tracks(stream: BatchStream, epoch: int, start: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    windows = [window.ids.numpy() for window in stream.epoch(epoch, start)]
    return np.concatenate([w[: -1 if i < len(windows) - 1 else None] for i, w in enumerate(windows)])


@given(batch=st.integers(1, 9), window=st.integers(1, 40))
def test_every_token_is_read_once_an_epoch(batch: int, window: int) -> None:
    stream = _stream(batch=batch, window=window)
    read = _tracks(stream, 0).T.reshape(-1)
    every = np.sort(np.concatenate([render(TOKENIZER, scene).ids for scene in SCENES]))
    # What does not fill a row of the batch is left for another epoch's order.
    assert len(read) == stream.tokens // batch * batch
    left = len(every) - len(read)
    assert 0 <= left < batch
    assert sum(min((read == id_).sum(), (every == id_).sum()) for id_ in np.unique(read)) == len(read)


def test_windows_overlap_by_the_one_token_that_comes_next() -> None:
    windows = list(_stream().epoch(0))
    assert len(windows) == _stream().steps
    for before, after in pairwise(windows):
        assert (before.ids[-1] == after.ids[0]).all()
        assert before.loss_mask.shape == (len(before.ids) - 1, 3)


def test_what_counts_stands_beside_its_target() -> None:
    for window in _stream().epoch(1):
        assert ((window.ids[1:] < VOCABULARY.predicted) == window.loss_mask).all()


def test_an_order_belongs_to_its_epoch_and_can_be_entered_anywhere() -> None:
    assert (_tracks(_stream(), 3) == _tracks(_stream(), 3)).all()
    assert (_tracks(_stream(), 3) != _tracks(_stream(), 4)).any()
    assert (_tracks(_stream(), 3)[14:] == _tracks(_stream(), 3, start=2)).all()


def test_speakers_lose_their_names_but_the_one_to_keep() -> None:
    speakers = {name: VOCABULARY.speaker(name) for name in ("Ann", "Bob")}
    assert not np.isin(_tracks(_stream(anonymous=1.0), 0), list(speakers.values())).any()
    kept = _tracks(_stream(anonymous=1.0, keep="Ann"), 0)
    assert (kept == speakers["Ann"]).any()
    assert not (kept == speakers["Bob"]).any()
    some = _tracks(_stream(anonymous=0.5), 0)
    assert (some == VOCABULARY.anonymous).any()
    assert (some == speakers["Bob"]).any()


@pytest.mark.parametrize("text", ["a", ""])
def test_a_corpus_smaller_than_a_batch_still_trains(text: str) -> None:
    tiny = [response_example([], Utterance("Ann", text))]
    stream = BatchStream(TOKENIZER, tiny, batch=8, window=16, anonymous=0.0, seed=1)
    (window,) = stream.epoch(0)
    assert window.ids.shape == (2, 8)


def test_an_epoch_reads_a_conversation_as_often_as_it_weighs() -> None:
    weights = {"a": 3.0, "b": 0.5, "c": 0.0, "d": 1.0}
    scenes = [full_example([Utterance("Ann", letter * 4)], weight) for letter, weight in weights.items() for _ in range(40)]
    stream = BatchStream(TOKENIZER, scenes, batch=1, window=9, anonymous=0.0, seed=5)
    assert stream.tokens == sum(40 * weight * 7 for weight in weights.values())
    found: dict[str, list[float]] = {letter: [] for letter in weights}
    for epoch in range(12):
        read = _tracks(stream, epoch)
        for letter, counts in found.items():
            counts.append((read == VOCABULARY.character_ids[letter]).sum() / 160)
    assert set(found["c"]) == {0}
    for letter, weight in weights.items():
        assert np.mean(found[letter]) == pytest.approx(weight, rel=0.1)
    assert len(set(found["b"])) > 1, "others of them in each epoch"


def test_who_talks_to_nobody_in_particular_keeps_the_name() -> None:
    """In a conversation that was written for a persona, it is the persona who answers."""
    voice = [full_example([Utterance(None, "abc"), Utterance("Ann", "de")])] * 20
    read = _tracks(BatchStream(TOKENIZER, voice, batch=1, window=9, anonymous=1.0, seed=5), 0)
    assert (read == VOCABULARY.speaker("Ann")).sum() == (read == VOCABULARY.anonymous).sum() == 20
