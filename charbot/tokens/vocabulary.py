"""The vocabulary of one unit, "char" or "word": the meaning of each id.

Ids that a model predicts come first, so that its output layer covers only them:

    END                          end of a turn
    256 bytes                    spell a character that is not listed (UTF-8)
    the characters
    SPELL, SPACED, SPELLED       word unit only: a word that is not listed is spelled between SPELL, or
                                 SPACED if there is a space before it, and SPELLED
    the words                    word unit only
    ---- read, never predicted ----
    SCENE                        start of a conversation
    ANONYMOUS                    a speaker who is not listed
    NEWCOMER                     a persona that the base was not trained on, as a speaker
    the speakers
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from charbot.text import words
from charbot.tokens.pieces import pieces

Unit = Literal["char", "word"]
UNITS: tuple[Unit, ...] = ("char", "word")

END = 0
_BYTES = 1
_CHARACTERS = _BYTES + 256


@dataclass(frozen=True)
class Vocabulary:
    """The ids of one unit; the characters, words and speakers are in the order of their ids."""

    unit: Unit
    characters: tuple[str, ...]
    words: tuple[str, ...]
    """Words and punctuation, each including the space before it: see `pieces`. Empty for characters."""
    speakers: tuple[str, ...]
    newcomer: str | None = None
    """Name of the persona that NEWCOMER stands for, if any."""

    @cached_property
    def character_ids(self) -> Mapping[str, int]:
        return {char: _CHARACTERS + i for i, char in enumerate(self.characters)}

    @property
    def spell(self) -> int:
        return _CHARACTERS + len(self.characters)

    @property
    def spaced(self) -> int:
        return self.spell + 1

    @property
    def spelled(self) -> int:
        return self.spell + 2

    @property
    def first_word(self) -> int:
        return self.spell + 3

    def opens_spelling(self, id_: int) -> bool:
        """Return whether an id is SPELL or SPACED."""
        return self.spell <= id_ <= self.spaced and self.unit == "word"

    @cached_property
    def word_ids(self) -> Mapping[str, int]:
        return {word: self.first_word + i for i, word in enumerate(self.words)}

    @cached_property
    def bare_words(self) -> tuple[str, ...]:
        """The words as `charbot.text.words` spells them, in lower case and without the space before; the most frequent first."""
        return tuple(dict.fromkeys(bare for word in self.words for bare in words(word)))

    @cached_property
    def bare_word_rows(self) -> Mapping[str, int]:
        """The place of each of the bare words."""
        return {word: row for row, word in enumerate(self.bare_words)}

    @property
    def predicted(self) -> int:
        """Number of ids that a model predicts: the size of its output layer."""
        return self.spell if self.unit == "char" else self.first_word + len(self.words)

    @property
    def scene(self) -> int:
        return self.predicted

    @property
    def anonymous(self) -> int:
        return self.predicted + 1

    @cached_property
    def _speaker_ids(self) -> Mapping[str, int]:
        return {name: self.predicted + 3 + i for i, name in enumerate(self.speakers)}

    def speaker(self, name: str | None) -> int:
        """Return the id of a speaker: the anonymous one for None and for names that are not listed."""
        if name is None:
            return self.anonymous
        return self._speaker_ids.get(name, self.anonymous + (name == self.newcomer))

    def knowing(self, name: str) -> "Vocabulary":
        """Return this vocabulary, with NEWCOMER standing for `name` if it does not list that speaker."""
        return self if name in self._speaker_ids else replace(self, newcomer=name)

    def __len__(self) -> int:
        return self.predicted + 3 + len(self.speakers)

    def spell_out(self, text: str) -> list[int]:
        """Return the ids of `text` character by character, or its bytes where a character is not listed."""
        ids: list[int] = []
        for char in text:
            known = self.character_ids.get(char)
            if known is not None:
                ids.append(known)
            else:
                ids.extend(_BYTES + byte for byte in char.encode("utf-8", "surrogatepass"))
        return ids

    def read_spelling(self, ids: Iterable[int]) -> str:
        """Return the text that `ids` spell.

        Bytes that are not valid UTF-8, which a model may produce, become replacement characters; ids that are neither
        characters nor bytes are skipped.
        """
        out = bytearray()
        for id_ in ids:
            if _BYTES <= id_ < _CHARACTERS:
                out.append(id_ - _BYTES)
            elif _CHARACTERS <= id_ < self.spell:
                out += self.characters[id_ - _CHARACTERS].encode("utf-8", "surrogatepass")
        try:
            return out.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return out.decode("utf-8", "replace")

    def to_json(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "characters": "".join(self.characters),
            "words": list(self.words),
            "speakers": list(self.speakers),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Vocabulary":
        return cls(data["unit"], tuple(data["characters"]), tuple(data["words"]), tuple(data["speakers"]))


def frequent(counts: Mapping[str, float], min_count: float) -> tuple[str, ...]:
    """Return the items with a count of at least `min_count`, the most frequent first, ties in alphabetical order."""
    kept = [(-count, item) for item, count in counts.items() if count >= min_count]
    return tuple(item for _, item in sorted(kept))


def build_vocabulary(
    unit: Unit, texts: Iterable[tuple[str, float]], speakers: Sequence[str], *, min_characters: int, min_words: int
) -> Vocabulary:
    """Return the vocabulary of the characters and words that are frequent in the train split.

    `texts` are texts and how often each counts; `min_characters` and `min_words` are the lowest counts to be listed.
    """
    characters: defaultdict[str, float] = defaultdict(float)
    words: defaultdict[str, float] = defaultdict(float)
    for text, weight in texts:
        for char in text:
            characters[char] += weight
        if unit == "word":
            for piece in pieces(text):
                words[piece] += weight
    return Vocabulary(unit, frequent(characters, min_characters), frequent(words, min_words), tuple(speakers))
