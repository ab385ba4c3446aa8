"""SubRip and WebVTT whose cues name the speaker: "NAME: text", or WebVTT's voice tags."""

import html
import re
from collections.abc import Iterator

from charbot.scripts.assembly import LineTag

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d\d)[.,]\d{1,3}"
_TIMES = re.compile(rf"{_TIME}\s*-->\s*{_TIME}.*")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^\s<>][^<>]*)>(.*?)(?:</v>|(?=<v[.\s])|$)")
_NAMED = re.compile(r"-?\s*([^\W\d_a-z][\w.'’ -]{0,30}?(?:\s*[(\[][^)\]]*[)\]])?)\s*:(?!\d|//)\s*(.*)")
_DASH = re.compile(r"-\s*")
_TAG = re.compile(r"</?[a-z][^<>]*>|\{\\[^{}]*\}", re.I)
_FINISHED = re.compile(r"""[.!?…♪]["')\]]*$""")
_PAUSE = 2
"""Seconds of silence after a finished sentence above which somebody else may be speaking."""


def _plain(text: str) -> str:
    """Return the text of a cue without its markup."""
    return html.unescape(_TAG.sub("", text))


def _seconds(hours: str | None, minutes: str, seconds: str) -> int:
    # Longer numbers are no times, and int() refuses the longest.
    return int((hours or "0")[-9:]) * 3600 + int(minutes) * 60 + int(seconds)


class Subtitles:
    """Subtitle files that name their speakers."""

    name = "subtitles"

    def confidence(self, text: str) -> float:
        cues = sum(_TIMES.fullmatch(line.strip()) is not None for line in text.splitlines())
        named = sum(tag.kind == "name" for tag in self.tags(text)) if cues else 0
        return min(1.0, 3 * named / cues) if named > 1 else 0.0

    def brackets(self, text: str) -> str:
        return "(["

    def tags(self, text: str) -> Iterator[LineTag]:
        cue = note = False
        speech, until, paused = "", 0, False
        lines = text.splitlines()
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            timed = number < len(lines) and _TIMES.fullmatch(lines[number].strip()) is not None
            if not line:
                cue = note = False
            elif times := _TIMES.fullmatch(line):
                cue = True
                paused = _seconds(*times.groups()[:3]) > until + _PAUSE and _FINISHED.search(speech) is not None
                until = _seconds(*times.groups()[3:])
                yield LineTag(number, "aside", line, "timing")
            elif not cue or (timed and line.isdecimal()):
                note = note or line.startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))
                yield LineTag(number, "aside", line, "timing" if timed and not note else "page furniture")
            elif voices := list(_VOICE.finditer(line)):
                if before := _plain(line[: voices[0].start()]).strip():
                    yield LineTag(number, "speech", before)
                paused = False
                for voice in voices:
                    yield LineTag(number, "name", _plain(voice[1]))
                    yield LineTag(number, "speech", speech := _plain(voice[2]))
            elif named := _NAMED.fullmatch(plain := _plain(line)):
                paused = False
                yield LineTag(number, "name", named[1])
                yield LineTag(number, "speech", speech := named[2])
            elif paused or _DASH.match(plain):
                # After a pause or a dash somebody else speaks, but the cue does not say who.
                yield LineTag(number, "omission", plain, "said by nobody")
            else:
                yield LineTag(number, "speech", speech := plain)
