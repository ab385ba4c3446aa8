"""Tokens: text to ids and back, for the character and the word unit, and turns rendered into ids."""

from charbot.tokens.character import CharacterTokenizer
from charbot.tokens.vocabulary import Vocabulary
from charbot.tokens.word import WordTokenizer

Tokenizer = CharacterTokenizer | WordTokenizer


def tokenizer_for(vocabulary: Vocabulary) -> Tokenizer:
    """The tokenizer of the vocabulary's unit."""
    return CharacterTokenizer(vocabulary) if vocabulary.unit == "char" else WordTokenizer(vocabulary)
