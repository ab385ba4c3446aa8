"""SubRip and WebVTT, where the cues name who speaks: "NAME: text", or WebVTT's voice tags."""

import re
from collections.abc import Iterator

from charbot.scripts.source import Mark

_TIMES = re.compile(r"(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}.*")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>(.*?)(?:</v>|$)")
_NAMED = re.compile(r"-?\s*([^\W\d_a-z][\w.'’ -]{0,30}?(?:\s*[(\[][^)\]]*[)\]])?)\s*:(?!\d)\s*(.*)")
_DASH = re.compile(r"-\s*")
_TAG = re.compile(r"</?[a-z][^>]*>|\{\\[^}]*\}", re.I)


class Subtitles:
    """Subtitle files of the kind that names its speakers."""

    name = "subtitles"

    def confidence(self, text: str) -> float:
        cues = len(re.findall(r"(?m)^\s*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}\s*-->", text))
        named = sum(mark.kind == "name" for mark in self.marks(text)) if cues else 0
        return min(1.0, 3 * named / cues) if named > 1 else 0.0

    def brackets(self, text: str) -> str:
        return "(["

    def marks(self, text: str) -> Iterator[Mark]:
        cue = note = False
        lines = text.splitlines()
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            ahead = lines[number].strip() if number < len(lines) else ""
            if not line:
                cue = note = False
            elif _TIMES.fullmatch(line):
                cue = True
                yield Mark(number, "aside", line, "timing")
            elif not cue:
                note = note or line.startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))
                timed = _TIMES.fullmatch(ahead) is not None
                yield Mark(number, "aside", line, "timing" if timed and not note else "page furniture")
            elif voices := list(_VOICE.finditer(line)):
                for voice in voices:
                    yield Mark(number, "name", voice[1])
                    yield Mark(number, "speech", _TAG.sub("", voice[2]))
            elif named := _NAMED.fullmatch(plain := _TAG.sub("", line)):
                yield Mark(number, "name", named[1])
                yield Mark(number, "speech", named[2])
            elif _DASH.match(plain):
                # A dash means that somebody else speaks; who, it does not say.
                yield Mark(number, "omission", plain, "said by nobody")
            else:
                yield Mark(number, "speech", plain)
