import torch
from hypothesis import given
from hypothesis import strategies as st

from charbot.models.ngram_embedding import OFF_TRIE, NgramEmbedding
from charbot.tokens import tokenizer_for
from tests.phrases import FOLDED, KINDS, VOCABULARY, rendered, spelled
from trainer.phrases import frequent_phrases


def model_of(*texts: str) -> tuple[NgramEmbedding, list[str]]:
    keys = frequent_phrases(rendered(*texts), KINDS, FOLDED, 99)
    phrases = NgramEmbedding(len(keys), len(VOCABULARY), 4)
    phrases.set_trie(keys, KINDS, FOLDED)
    torch.nn.init.normal_(phrases.weight)
    return phrases, spelled(keys)


def test_a_reader_is_where_the_text_says() -> None:
    phrases, names = model_of(*["Ab. ba b"] * 3)
    tokenizer = tokenizer_for(VOCABULARY)
    ids = [VOCABULARY.speaker("Ann"), *tokenizer.encode("AB. ba, a"), VOCABULARY.speaker(None), *tokenizer.encode("ba")]
    places, walked = phrases.initial_state(1), []
    for id_ in ids:
        _, places = phrases(torch.tensor([[id_]]), places)
        walked.append(tuple("-" if node == OFF_TRIE else names[node] for node in places[:2, 0].tolist()))
    assert walked == [
        ("-", "-"),
        ("a", "-"), ("ab", "-"), ("ab.", "-"), ("ab. ", "-"), ("b", "ab. b"), ("ba", "ab. ba"),
        ("-", "-"), ("-", "-"), ("a", "-"),
        ("-", "-"),
        ("b", "-"), ("ba", "-"),
    ]  # fmt: skip


@given(st.lists(st.integers(0, len(VOCABULARY) - 1), min_size=1, max_size=30), st.integers(0, 30))
def test_a_text_may_be_read_in_parts(ids: list[int], cut: int) -> None:
    phrases, _ = model_of(*["Ab. ba b"] * 3)
    read = torch.tensor(ids)[:, None].expand(-1, 2)
    expected, after = phrases(read, phrases.initial_state(2))
    first, places = phrases(read[:cut], phrases.initial_state(2))
    second, last = phrases(read[cut:], places)
    assert torch.equal(torch.cat([first, second]), expected)
    assert torch.equal(last, after)


def test_what_is_read_is_the_phrases_embeddings() -> None:
    phrases, names = model_of(*["Ab. ba b"] * 3)
    found, _ = phrases(torch.tensor(tokenizer_for(VOCABULARY).encode("ab. b"))[:, None], phrases.initial_state(1))
    expected = phrases.weight[names.index("b")] + phrases.weight[names.index("ab. b")]
    assert torch.equal(found[-1, 0], expected)
