"""The character unit: one id per character, or per UTF-8 byte of characters that the vocabulary does not list."""

from collections.abc import Sequence

from charbot.tokens.vocabulary import Vocabulary


class CharacterTokenizer:
    """Converts text to character ids and back; `decode(encode(text)) == text` for every str."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def encode(self, text: str) -> list[int]:
        return self.vocabulary.spell_out(text)

    def decode(self, ids: Sequence[int]) -> str:
        return self.vocabulary.read_spelling(ids)
