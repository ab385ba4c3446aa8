"""SubRip and WebVTT, where the cues name who speaks: "NAME: text", or WebVTT's voice tags."""

import html
import re
from collections.abc import Iterator

from charbot.scripts.source import Mark

_TIMES = re.compile(r"(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}.*")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^\s<>][^<>]*)>(.*?)(?:</v>|(?=<v[.\s])|$)")
_NAMED = re.compile(r"-?\s*([^\W\d_a-z][\w.'’ -]{0,30}?(?:\s*[(\[][^)\]]*[)\]])?)\s*:(?!\d|//)\s*(.*)")
_DASH = re.compile(r"-\s*")
_TAG = re.compile(r"</?[a-z][^<>]*>|\{\\[^{}]*\}", re.I)


def _plain(text: str) -> str:
    """The text of a cue without its markup."""
    return html.unescape(_TAG.sub("", text))


class Subtitles:
    """Subtitle files of the kind that names its speakers."""

    name = "subtitles"

    def confidence(self, text: str) -> float:
        cues = sum(_TIMES.fullmatch(line.strip()) is not None for line in text.splitlines())
        named = sum(mark.kind == "name" for mark in self.marks(text)) if cues else 0
        return min(1.0, 3 * named / cues) if named > 1 else 0.0

    def brackets(self, text: str) -> str:
        return "(["

    def marks(self, text: str) -> Iterator[Mark]:
        cue = note = False
        lines = text.splitlines()
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            timed = number < len(lines) and _TIMES.fullmatch(lines[number].strip()) is not None
            if not line:
                cue = note = False
            elif _TIMES.fullmatch(line):
                cue = True
                yield Mark(number, "aside", line, "timing")
            elif not cue or (timed and line.isdecimal()):
                note = note or line.startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))
                yield Mark(number, "aside", line, "timing" if timed and not note else "page furniture")
            elif voices := list(_VOICE.finditer(line)):
                if before := _plain(line[: voices[0].start()]).strip():
                    yield Mark(number, "speech", before)
                for voice in voices:
                    yield Mark(number, "name", _plain(voice[1]))
                    yield Mark(number, "speech", _plain(voice[2]))
            elif named := _NAMED.fullmatch(plain := _plain(line)):
                yield Mark(number, "name", named[1])
                yield Mark(number, "speech", named[2])
            elif _DASH.match(plain):
                # A dash means that somebody else speaks; who, it does not say.
                yield Mark(number, "omission", plain, "said by nobody")
            else:
                yield Mark(number, "speech", plain)
