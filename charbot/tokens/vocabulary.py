"""The vocabulary of one unit: which id stands for what.

Ids that a model predicts come first, so that its output layer covers them alone:

    END                          a turn ends here
    256 bytes                    spell a character that is not listed (UTF-8)
    the characters
    SPELL, SPACED, SPELLED       word unit only: a word that is not listed is spelled after SPELL, or
                                 after SPACED where a space stands before it, and up to SPELLED
    the words                    word unit only
    ---- read, never predicted ----
    SCENE                        a conversation begins
    ANONYMOUS                    somebody who is nobody in the show speaks
    NEWCOMER                     a persona speaks whom the base has never met
    the speakers
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from charbot.tokens.pieces import pieces

Unit = Literal["char", "word"]
UNITS: tuple[Unit, ...] = ("char", "word")

END = 0
_BYTES = 1
_CHARACTERS = _BYTES + 256


@dataclass(frozen=True)
class Vocabulary:
    """The ids of one unit. Two vocabularies with the same fields are the same vocabulary."""

    unit: Unit
    characters: tuple[str, ...]
    words: tuple[str, ...]
    speakers: tuple[str, ...]
    newcomer: str | None = None

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
        """Whether an id says that characters follow."""
        return self.spell <= id_ <= self.spaced and self.unit == "word"

    @cached_property
    def word_ids(self) -> Mapping[str, int]:
        return {word: self.first_word + i for i, word in enumerate(self.words)}

    @property
    def predicted(self) -> int:
        """How many ids a model predicts: the size of its output layer."""
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
        """The id of a speaker: the anonymous one for None and for whoever is not listed."""
        if name is None:
            return self.anonymous
        return self._speaker_ids.get(name, self.anonymous + (name == self.newcomer))

    def knowing(self, name: str) -> "Vocabulary":
        """This vocabulary, with NEWCOMER standing for `name` if it does not list that speaker."""
        return self if name in self._speaker_ids else replace(self, newcomer=name)

    def __len__(self) -> int:
        return self.predicted + 3 + len(self.speakers)

    def spell_out(self, text: str) -> list[int]:
        """Ids of `text` character by character; bytes where a character is not listed."""
        ids: list[int] = []
        for char in text:
            known = self.character_ids.get(char)
            if known is not None:
                ids.append(known)
            else:
                ids.extend(_BYTES + byte for byte in char.encode("utf-8", "surrogatepass"))
        return ids

    def read_spelling(self, ids: Iterable[int]) -> str:
        """The text that `ids` spell. Bytes that are no UTF-8, which a model may well produce,
        become replacement characters; ids of other kinds are passed over."""
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
    """What was seen `min_count` times or more, most frequent first, ties in alphabetical order."""
    kept = [(-count, item) for item, count in counts.items() if count >= min_count]
    return tuple(item for _, item in sorted(kept))


def build_vocabulary(
    unit: Unit, texts: Iterable[tuple[str, float]], speakers: Sequence[str], *, min_characters: int, min_words: int
) -> Vocabulary:
    """The vocabulary of the train split's texts, each with how often it counts: what was seen that many times or more."""
    characters: defaultdict[str, float] = defaultdict(float)
    words: defaultdict[str, float] = defaultdict(float)
    for text, weight in texts:
        for char in text:
            characters[char] += weight
        if unit == "word":
            for piece in pieces(text):
                words[piece] += weight
    return Vocabulary(unit, frequent(characters, min_characters), frequent(words, min_words), tuple(speakers))
