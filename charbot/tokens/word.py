"""The word unit: one id per word or punctuation mark, cased, including the space before it.

A word that the vocabulary does not list is spelled in characters, after SPELL or SPACED. The first word of a text counts as
having a space before it, so that it is the same word as inside a sentence; decoding removes that space again.
"""

from collections.abc import Sequence

from charbot.tokens.pieces import pieces
from charbot.tokens.vocabulary import Vocabulary


class WordTokenizer:
    """Converts text to word ids and back; `decode(encode(text)) == text` for every str."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def encode(self, text: str) -> list[int]:
        vocabulary = self.vocabulary
        ids: list[int] = []
        for piece in pieces(text):
            known = vocabulary.word_ids.get(piece)
            if known is not None:
                ids.append(known)
            else:
                bare = piece.removeprefix(" ")
                opening = vocabulary.spell if bare == piece else vocabulary.spaced
                ids += [opening, *vocabulary.spell_out(bare), vocabulary.spelled]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        vocabulary = self.vocabulary
        out: list[str] = []
        spelling: list[int] = []
        for id_ in ids:
            if vocabulary.first_word <= id_ < vocabulary.predicted:
                out.append(vocabulary.words[id_ - vocabulary.first_word])
            elif id_ == vocabulary.spelled:
                out.append(vocabulary.read_spelling(spelling))
                spelling.clear()
            elif id_ == vocabulary.spaced:
                out.append(" ")
            else:
                spelling.append(id_)
        return "".join(out).removeprefix(" ")
