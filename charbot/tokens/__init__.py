"""Tokenizers for the character and the word unit, and the rendering of turns as ids."""

from charbot.tokens.character import CharacterTokenizer
from charbot.tokens.vocabulary import Vocabulary
from charbot.tokens.word import WordTokenizer

Tokenizer = CharacterTokenizer | WordTokenizer


def tokenizer_for(vocabulary: Vocabulary) -> Tokenizer:
    """Return the tokenizer for the vocabulary's unit."""
    return CharacterTokenizer(vocabulary) if vocabulary.unit == "char" else WordTokenizer(vocabulary)
