"""SubRip and WebVTT whose cues name the speaker: "NAME: text", "[Name] text", or WebVTT's voice tags."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from charbot.scripts.assembly import LineTag
from charbot.scripts.markup import unescape

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d\d)[.,]\d{1,3}"
_TIMES = re.compile(rf"{_TIME}\s*-->\s*{_TIME}.*")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^\s<>][^<>]*)>(.*?)(?:</v>|(?=<v[.\s])|$)")
_SOMEBODY = re.compile(r"^(?:-|–|>>+)\s*")
"""Begins the line of another speaker, whether named or not."""
_NAMED = re.compile(r"([^\W\d_a-z][\w.'’ -]{0,30}?(?:\s*[(\[][^)\]]*[)\]])?)\s*:(?!\d|//)\s*(.*)")
_BRACKETED = re.compile(r"(?:\[([^\[\]():]{1,40})\]|\(([^\[\]():]{1,40})\))\s*:?\s*(.*)")
_TITLED = re.compile(r"[^\W\d_a-z][\w.'’-]*(?:,? (?:and |the |of |& )?[^\Wa-z][\w.'’-]*)*")
"""A name whose words begin with capitals."""
_SOUND = re.compile(
    r"(?:[\w' -]+ing|\w+ly|in [a-z]+|(?:sigh|laugh|chuckle|giggle|gasp|sob|cr(?:y|ies)|scream|shout|yell|groan|moan|grunt|cough|"
    r"sniff(?:le)?|snort|whisper|whistle|beep|ring|bark|cheer|applaud|hum|mumble|stammer|inhale|exhale|pant|gulp|yawn|sneeze|"
    r"sing|continue|pause|click|bang|thud|echo)(?:e?s)?|clears throat|applause|laughter|music.*|silence|gunshots?|thunder|"
    r"static|crowd|chatter|inaudible|indistinct.*|doorbell|sirens?|phone|alarm|footsteps)",
    re.I,
)
"""The content of brackets that hold a sound or a manner."""
_TAG = re.compile(r"</?[a-z][^<>]*>|\{\\[^{}]*\}|<[\d:.]+>", re.I)
_MUSIC = re.compile(r"[♪♫♬🎵🎶]+")
_HASH_SONG = re.compile(r"#\s.*\s#")
_FINISHED = re.compile(r"""[.!?…♪]["')\]]*$""")
_PAUSE = 2
"""Seconds of silence after a finished sentence above which somebody else may be speaking."""
_CAPITALS = 0.5
"""Share of names in capitals above which a word before a colon is no name unless it is in capitals too, or recurs."""


def plain(text: str) -> str:
    """Return the text of a cue without its markup."""
    return unescape(_TAG.sub("", text))


@dataclass(frozen=True)
class SpeakerNames:
    """The casefolded names that the lines of a subtitle file begin with."""

    before_colon: frozenset[str]
    in_brackets: frozenset[str]
    any_in_brackets: bool
    """Whether brackets hold names in this file, so that a bracketed name need not recur."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> "SpeakerNames":
        """Return the names in `texts`: each line of each cue, with the line below it in the cue, without markup."""
        colons: Counter[str] = Counter()
        brackets: Counter[str] = Counter()
        for text in texts:
            line = _SOMEBODY.sub("", text)
            if named := _NAMED.fullmatch(line):
                colons[_bare(named[1])] += 1
            elif (bracketed := _BRACKETED.fullmatch(line)) and bracketed[3]:
                brackets[(bracketed[1] or bracketed[2]).strip()] += 1
        for content in list(brackets):
            if (directed := _directed(content)) and directed[0] in brackets:
                brackets[directed[0]] += brackets[content]
        capitals = sum(count for name, count in colons.items() if name.isupper()) > _CAPITALS * colons.total()
        before_colon = {
            name.casefold()
            for name, count in colons.items()
            if count > 1 or name.isupper() or (_TITLED.fullmatch(name) and not capitals)
        }
        recurring = {name for name, count in brackets.items() if count > 1 and not _SOUND.fullmatch(name)}
        titled = {name for name in recurring if _TITLED.fullmatch(name)}
        # Names in small letters look like directions: they are believed only where no others are.
        in_brackets = titled or (recurring if not before_colon else set())
        if len(in_brackets) < 2:
            in_brackets = set()
        return cls(frozenset(before_colon), frozenset(map(str.casefold, in_brackets)), bool(titled and in_brackets))

    def split(self, text: str) -> tuple[str, str] | None:
        """Return the speaker and the speech of a line that names its speaker, else None."""
        line = _SOMEBODY.sub("", text)
        if named := _NAMED.fullmatch(line):
            bare = _bare(named[1])
            # After a dash, somebody else speaks for certain.
            is_name = bare.casefold() in self.before_colon or (line != text and _TITLED.fullmatch(bare))
            return (named[1], named[2]) if is_name else None
        if not (bracketed := _BRACKETED.fullmatch(line)):
            return None
        name, speech = (bracketed[1] or bracketed[2]).strip(), bracketed[3]
        names = self.before_colon | self.in_brackets
        if name.casefold() in names:
            return name, speech
        if self.any_in_brackets and _TITLED.fullmatch(name) and not _SOUND.fullmatch(name):
            return name, speech
        if (directed := _directed(name)) and directed[0].casefold() in names:
            return directed[0], f"({directed[1]}) {speech}"
        return None


def _bare(name: str) -> str:
    """Return a name without the direction in brackets after it."""
    return re.split(r"[(\[]", name)[0].strip()


def _directed(content: str) -> tuple[str, str] | None:
    """Return the name and the direction in brackets such as "[Anna on the phone]" and "[Anna, softly]"."""
    name = _TITLED.match(content)
    direction = content[name.end() :].lstrip(", ") if name else ""
    return (name[0], direction) if name and direction[:1].islower() else None


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a subtitle file that is not empty."""

    number: int
    kind: Literal["cue", "timing", "page furniture"]
    text: str
    first: bool
    """Whether it is the first line of its cue."""
    silence: bool
    """Whether its cue begins more than _PAUSE after the cue before it."""


def _seconds(hours: str | None, minutes: str, seconds: str) -> int:
    # Longer numbers are no times, and int() refuses the longest.
    return int((hours or "0")[-9:]) * 3600 + int(minutes) * 60 + int(seconds)


def _rows(lines: Sequence[str]) -> Iterator[_Row]:
    cue = note = first = silence = False
    until = 0
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        timed = number < len(lines) and _TIMES.fullmatch(lines[number].strip()) is not None
        if not line:
            cue = note = False
        elif times := _TIMES.fullmatch(line):
            cue = first = True
            silence = _seconds(*times.groups()[:3]) > until + _PAUSE
            until = _seconds(*times.groups()[3:])
            yield _Row(number, "timing", line, False, False)
        elif not cue or (timed and line.isdecimal()):
            note = note or line.startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))
            yield _Row(number, "timing" if timed and not note else "page furniture", line, False, False)
        else:
            yield _Row(number, "cue", line, first, silence)
            first = False


def _pairs(cues: Sequence[_Row]) -> Iterator[str]:
    """Yield, for each row of the cues, its plain text and that of the next row in the same cue."""
    texts = [plain(row.text) for row in cues]
    for i, text in enumerate(texts):
        below = texts[i + 1] if i + 1 < len(cues) and not cues[i + 1].first else ""
        yield f"{text} {below}".strip()


class CueTagger:
    """Tags the lines of cues, in order."""

    def __init__(self, names: SpeakerNames) -> None:
        self._names = names
        self._speech = ""
        self._paused = False
        self._singing: Literal["", "speaker", "nobody"] = ""

    def begin_cue(self, silence: bool) -> None:
        """Begin a cue, which `silence` may separate from the one before it."""
        self._paused = silence and _FINISHED.search(self._speech) is not None
        self._singing = ""

    def tags(self, number: int, line: str) -> Iterator[LineTag]:
        """Yield the tags of a line of text without markup."""
        if named := self._names.split(line):
            yield from self.turn(number, *named)
        elif self._sung(line) == "nobody":
            yield LineTag(number, "omission", line, "song")
        elif self._paused or _SOMEBODY.match(line):
            # After a pause or a dash somebody else speaks, but the cue does not say who.
            yield LineTag(number, "omission", line, "said by nobody")
        else:
            yield self._speak(number, line)

    def turn(self, number: int, name: str, speech: str) -> Iterator[LineTag]:
        """Yield the tags of a line whose speaker is known."""
        self._paused = False
        self._singing = "speaker" if _MUSIC.search(speech) else ""
        yield LineTag(number, "name", name)
        yield self._speak(number, speech)

    def _speak(self, number: int, text: str) -> LineTag:
        self._speech = text
        return LineTag(number, "speech", _MUSIC.sub(" ", text))

    def _sung(self, line: str) -> str:
        """Return who sings a line: "nobody" is named, or the "speaker" who began the song in this cue."""
        if not self._singing and (_MUSIC.match(line) or _HASH_SONG.fullmatch(line)):
            self._singing = "nobody"
        singing = self._singing
        if singing == "nobody" and (_MUSIC.search(line, 1) or line.endswith("#")):
            self._singing = ""
        return singing


class Subtitles:
    """Subtitle files that name their speakers."""

    name = "subtitles"

    def confidence(self, text: str) -> float:
        if "-->" not in text:
            return 0.0
        cues = sum(_TIMES.fullmatch(line.strip()) is not None for line in text.splitlines())
        named = sum(tag.kind == "name" for tag in self.tags(text)) if cues else 0
        return min(1.0, 3 * named / cues) if named > 1 else 0.0

    def brackets(self, text: str) -> str:
        return "(["

    def tags(self, text: str) -> Iterator[LineTag]:
        rows = list(_rows(text.splitlines()))
        tagger = CueTagger(SpeakerNames.of(_pairs([row for row in rows if row.kind == "cue"])))
        for row in rows:
            if row.kind != "cue":
                yield LineTag(row.number, "aside", row.text, row.kind)
                continue
            if row.first:
                tagger.begin_cue(row.silence)
            if voices := list(_VOICE.finditer(row.text)):
                if before := plain(row.text[: voices[0].start()]).strip():
                    yield LineTag(row.number, "speech", before)
                for voice in voices:
                    yield from tagger.turn(row.number, plain(voice[1]), plain(voice[2]))
            elif not (line := plain(row.text)).strip():
                yield LineTag(row.number, "aside", row.text, "nothing said")
            else:
                yield from tagger.tags(row.number, line)
