"""A tiny vocabulary and its phrases, for the tests of both sides: who counts them and who reads them."""

from torch import Tensor

from charbot.corpus.examples import full_example
from charbot.dialogue import Utterance
from charbot.tokens import tokenizer_for
from charbot.tokens.render import Rendered, render
from charbot.tokens.vocabulary import Vocabulary
from trainer.phrases import phrase_kinds

VOCABULARY = Vocabulary("char", tuple(" 'ABab.,é"), (), ("Ann", "Bob"))
KINDS, FOLDED = phrase_kinds(VOCABULARY)


def rendered(*texts: str) -> list[Rendered]:
    return [render(tokenizer_for(VOCABULARY), full_example([Utterance("Ann", text), Utterance(None, text)])) for text in texts]


def spelled(keys: Tensor) -> list[str]:
    """The phrases that a trie's nodes stand for, the root's first."""
    names = {id_: char for char, id_ in VOCABULARY.character_ids.items()} | {0: "|"}
    found = [""]
    for key in keys.tolist():
        found.append(found[key // len(VOCABULARY)] + names.get(key % len(VOCABULARY), "?"))
    return found
