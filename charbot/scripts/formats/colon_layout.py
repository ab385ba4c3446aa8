"""The layout of a `Name: speech` file: the lines that may be turns, who speaks, and where speech continues."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from charbot.scripts.formats import paratext

_WORD = r"[^\W\d_a-z][\w.'’&#-]*|\d+(?:st|nd|rd|th)?|#\d+"
_JOINT = r",? (?:and|AND|&|the|of|on|with|at|in|from|to) |, ?| ?/ ?| ?& ?| "
_NAME = re.compile(rf"(?=.*[^\W\d_])(?:{_WORD})(?:(?:{_JOINT})(?:{_WORD}|\d+)|['’]s|['’]S| \w[\w'’]*){{0,5}}")
_SMALL_NAME = re.compile(r"[^\W\d_A-Z][\w.'’-]*(?: [^\W\d_A-Z][\w.'’-]*)?")
_QUALIFIERS = r"((?:[(\[{][^)\]}:]{0,200}[)\]}]\s*){0,3})"
_COLON = re.compile(rf"\s*([^\s:\[({{][^:\[({{]{{0,59}}?)\s*{_QUALIFIERS}(?:(?<=[^\s:])::|:)(?!//|:)\s*(.*)")
_PERIOD = re.compile(rf"\s*([^\W\d_a-z][^\W\d_a-z.'’ -]*(?:[.'’ -]+[^\W\d_a-z.'’ -]+){{0,3}}) ?{_QUALIFIERS}\. *(.*)")
_DASH = re.compile(rf"\s*([^\W\d_a-z][\w.'’]*(?: [^\W\d_a-z][\w.'’]*){{0,2}}) +{_QUALIFIERS}[-–—] +(.*)")
_FORMS = (_COLON, _PERIOD, _DASH)
_DIRECTED = re.compile(r"([^,]{1,40}), ([^\W\d_A-Z][^,]{2,40}(?:, [^,]{2,40})?)")
_SEMICOLON = re.compile(rf"\s*({_NAME.pattern}); +(.*)")
_TOGETHER = re.compile(r",? and |, ?| ?[/&] ?")
_SENTENCE = re.compile(r"(?:they|he|she|it|we|you|i|then|now|so|but|and|if|when|as|meanwhile|there) ", re.I)
_CLAUSE = re.compile(
    r"(?:what|this|that|these|those|my|your|our|his|her|its|their|one|first|remember|look|listen|like|just|not|all|which|who|"
    r"how|why|where|in|at|on|for|because|or|no|yes|here)\b",
    re.I,
)
_LISTED = re.compile(r"(?:[-*>•] +|\d+[.)] +|\[\d{1,2}(?::\d\d){1,2}\] *|:+ *)(?=\S)")
_BOLD = r"\*\*|'''|__|\*"
_BOLD_NAME = re.compile(rf"({_BOLD})([^*_:]{{1,60}}?)(?::\1|\1 ?:) *(.*)")
_BOLD_WORDS = re.compile(rf"({_BOLD})(?=\S)(.+?)(?<=\S)\1")
_ITALICS = re.compile(r"\b_(?=\S)([^_]+)(?<=\S)_|(?<=[\[(])_([^_]+)_")
_OFTEN = 5
"""Minimum number of speeches that begin in a column for it not to be a coincidence."""
_DRESSED = 0.3
"""A script is set as a list, or in bold, if more than this share of its lines is; fewer are lists in notes."""
_ALONE = 0.6
"""Share of names that are alone on their lines above which a name with speech beside it is none."""
_EVERY_LINE = 0.6
"""Share of lines that begin with an established name above which others that look alike do too."""
_WIDE = 110
"""Maximum width of lines wrapped by hand; in files with longer ones, each line is a paragraph."""
FINISHED = re.compile(r"""[.!?…"')\]-]$""")

_NOT_ACTIONS = r"(?!(?:is|was|has|does|this|its|his|as|us|yes|always|perhaps|sometimes|was)\b)"
_NARRATION = re.compile(
    rf"(?:(?:he|she|it|they|everyone|everybody|someone|somebody|nobody|both|each|we) (?:\w+ly )?{_NOT_ACTIONS}(?:\w+s|see)\b|"
    rf"(?:the|a|an|another|two|three|several) (?:[\w'’-]+ ){{1,2}}{_NOT_ACTIONS}\w+s\b|(?:enter|exit|exeunt|cut|fade)s?\b)",
    re.I,
)
_ADDRESS = re.compile(r"\b(?:I|you|we|me|my|your|us|our|I'm|you're|we're|let's)\b", re.I)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a line that may be a turn: a name, directions in brackets, and a colon or the like."""

    name: str
    directions: str
    speech: str
    column: int
    """The index in the line at which the speech begins."""
    doubtful: bool = False
    """Whether it begins a turn only if the name does elsewhere."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file that is not empty."""

    number: int
    text: str
    indent: int
    head: Head | None
    apart: bool
    """Whether the line is below an empty one, or the first."""

    @property
    def name(self) -> str:
        """Return the casefolded name that the line may begin with, or an empty string."""
        return self.head.name.casefold() if self.head else ""

    @property
    def column(self) -> int:
        """Return the column in which speech begins after a possible name, or 0 without one."""
        return self.indent + self.head.column if self.head else 0


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of speech in a file."""

    column: int | None
    """The column in which speech continues, if names stand in a column to the left of it."""
    usual: frozenset[int]
    """The columns in which speech usually begins after a name, if there is such a `column`."""
    wrapped: bool
    """Whether speech is wrapped over lines of limited length."""
    spaced: bool
    """Whether empty lines separate speeches."""
    paragraphs: bool
    """Whether a paragraph without a name is the speech of whoever spoke before it, and not narration."""
    squares: bool
    """Whether lines in square brackets are scene headings, because lines in parentheses hold actions."""

    def holds(self, row: Row) -> bool:
        """Return True if a line is in the column of speech.

        Lines with a colon whose text begins in a usual column do not count: they begin with a name.
        """
        return self.column is not None and row.indent >= self.column and row.column not in self.usual

    def goes_on(self, row: Row, finished: bool) -> bool:
        """Return True if a line without a name continues the speech before it.

        `finished` says whether the line before it ends like a sentence.
        """
        unfinished = not finished and row.text[0].islower()
        if self.column is not None:
            return row.indent >= self.column - 1 or unfinished
        return self.paragraphs or (not row.apart or unfinished if self.wrapped else not finished)


def read_rows(text: str) -> list[Row]:
    """Return the lines of a file that are not empty, with the turns that they may begin."""
    lines = _typed_lines(text)
    stripped = [line.strip() for line in lines]
    rows: list[Row] = []
    apart = True
    shown = _shown(list(filter(None, stripped)))
    for number, (raw, line) in enumerate(zip(lines, stripped, strict=True), 1):
        if line:
            bare, head = next(shown)
            rows.append(Row(number, bare, len(raw) - len(raw.lstrip()), head, apart))
        apart = not line
    return rows


def read_names(text: str) -> list[str]:
    """Return the casefolded name that each line that is not empty may begin with, or an empty string."""
    full = filter(None, map(str.strip, _typed_lines(text)))
    return [head.name.casefold() if head else "" for _, head in _shown(list(full))]


def _typed_lines(text: str) -> list[str]:
    return text.replace("：", ": ").splitlines()


def _shown(full: Sequence[str]) -> Iterator[tuple[str, Head | None]]:
    """Return the lines of a file, none of them empty, without markup, each with the turn that it may begin."""
    dressed = is_dressed(full)
    bare = [_undressed(line) if dressed else line for line in full]
    heads = [_head(line) for line in bare]
    form = _form_of(bare, heads)
    if form is _PERIOD:
        bare = [_ITALICS.sub(r"\1\2", line) for line in bare]
    small = form is _COLON and _is_small(bare)
    if small or form is not _COLON:
        heads = [_head(line, form, small) for line in bare]
    return zip(bare, heads, strict=True)


def head_of(line: str) -> Head | None:
    """Return the turn that a line may begin, whatever the lines around it."""
    return _head(_undressed(line))


def is_dressed(lines: Sequence[str]) -> bool:
    """Return True if a script is set as a list or with bold names."""
    return sum(_undressed(line) != line for line in lines) > _DRESSED * len(lines)


def _undressed(line: str) -> str:
    """Return a line without the markup of Markdown or wikis around a turn: a list's mark, a bold name."""
    if line[:1].isalpha():
        return line
    listed = _LISTED.match(line)
    bare = line[listed.end() :] if listed else line
    if bold := _BOLD_NAME.fullmatch(bare):
        speech = _BOLD_WORDS.sub(r"\2", bold[3])
        return f"{bold[2]}: {speech}"
    return bare if bare is not line and _head(bare) else line


def _form_of(lines: Sequence[str], heads: Sequence[Head | None]) -> re.Pattern[str]:
    """Return the form of turns in a file: a colon after the name, as in `heads`, unless another is far more frequent."""
    counts: dict[re.Pattern[str], int] = {}
    for form in _FORMS:
        found = heads if form is _COLON else [_head(line, form) for line in lines]
        names = Counter(head.name.casefold() for head in found if head)
        often = [count for count in names.values() if count > 2]
        counts[form] = sum(often) if len(often) > 1 else 0
        if form is _COLON and 3 * counts[form] >= len(lines):
            return form
    enough = {_PERIOD: max(6, 0.1 * len(lines)), _DASH: max(6, 0.7 * len(lines))}
    for form, minimum in enough.items():
        if counts[form] >= minimum and counts[form] > 3 * counts[_COLON]:
            return form
    return _COLON


def _is_small(lines: Sequence[str]) -> bool:
    """Return True if nearly every line begins with a name in small letters."""
    names = Counter(
        match[1]
        for line in lines
        if _SMALL_NAME.match(line) and (match := _COLON.match(line)) and _SMALL_NAME.fullmatch(match[1])
    )
    often = [count for count in names.values() if count > 1]
    return len(often) > 1 and sum(often) > 0.8 * len(lines)


def _head(line: str, form: re.Pattern[str] = _COLON, small: bool = False) -> Head | None:
    """Return the turn that a line may begin; None if what precedes the colon is a credit, a scene heading or a clause."""
    if form is _COLON and ":" not in line:
        semicolon = _SEMICOLON.fullmatch(line) if ";" in line[:60] else None
        return Head(semicolon[1], "", semicolon[2], semicolon.start(2), doubtful=True) if semicolon else None
    match = form.match(line)
    if match is None or _is_label(match[1]):
        return None
    if directed := _DIRECTED.fullmatch(match[1]):
        directions = f"({directed[2]}) {match[2]}"
        return Head(directed[1], directions, match[3], match.start(3), doubtful=True)
    if _SENTENCE.match(match[1]) or not (_NAME.fullmatch(match[1]) or (small and _SMALL_NAME.fullmatch(match[1]))):
        return None
    return Head(match[1], match[2], match[3], match.start(3))


@lru_cache(maxsize=4096)
def _is_label(name: str) -> bool:
    """Return True if what precedes a colon is a credit or a scene heading."""
    return paratext.is_credit(name) or paratext.is_break(name)


def layout_of(rows: Sequence[Row]) -> Layout:
    """Return the layout of speech in a file."""
    speeches = [row for row in rows if row.head and not row.head.doubtful]
    # Indented lines directly below a name may continue its speech in a column.
    below = [after for row, after in pairwise(rows) if row.head and not after.head and after.indent >= 3 and not after.apart]
    column, usual = None, frozenset[int]()
    if len(below) > 0.05 * len(speeches):
        columns = Counter(row.column for row in speeches)
        if sum(row.indent in columns for row in below) > 0.8 * len(below):
            column = min(row.indent for row in below)
            usual = frozenset(begin for begin, count in columns.items() if count >= max(_OFTEN, 0.1 * len(speeches)))
    widths = sorted(row.indent + len(row.text) for row in speeches)
    wrapped = not widths or widths[len(widths) * 98 // 100] <= _WIDE
    bracketed = Counter(row.text[0] for row in rows if row.text[0] in "[(" and row.text[-1] in "])")
    spaced = sum(row.apart for row in speeches) > 0.7 * len(speeches)
    paragraphs = column is None and _has_paragraphs(rows, {row.name for row in speeches})
    return Layout(column, usual, wrapped, spaced, paragraphs, squares=min(bracketed["["], bracketed["("]) >= 3)


def _has_paragraphs(rows: Sequence[Row], names: set[str]) -> bool:
    """Return True if paragraphs without a name are speech, by what they say and how they begin."""
    heads = [i for i, row in enumerate(rows) if row.head and not row.head.doubtful]
    if not heads:
        return False
    within = [
        (before, row)
        for before, row in pairwise(rows[heads[0] : heads[-1]])
        if row.apart and not row.head and row.text[0] not in "([{" and not paratext.is_break(row.text)
    ]
    free = [row.text for before, row in within if FINISHED.search(before.text) or not row.text[0].islower()]
    if len(within) < 3 or sum(narrates(text, names) for text in free) > 0.1 * len(free):
        return False
    if len(free) < 0.7 * len(within):
        # Most are in the middle of a sentence: the lines are double-spaced.
        return True
    words = sum(len(text.split()) for text in free) / len(free)
    return words >= 7 or sum(_ADDRESS.search(text) is not None for text in free) >= 0.2 * len(free)


def narrates(text: str, names: set[str] | frozenset[str]) -> bool:
    """Return True if a line without a name tells what somebody does, rather than being what somebody says."""
    if _NARRATION.match(text):
        return True
    words = text.split(maxsplit=2)
    # "Nele walks" and "Nele and Bartok walk", but not "Nele, walk".
    return len(words) > 1 and words[0].casefold() in names and words[1][:1].islower()


def speaker_names(rows: Sequence[Row], layout: Layout) -> frozenset[str]:
    """Return the casefolded names before colons: those that recur or stand where names do, and groups of them."""
    heads = [row for row in rows if row.head and not row.head.doubtful and not layout.holds(row)]
    alone = [row for row in heads if row.head and not row.head.speech]
    if len(alone) >= max(3, _ALONE * len(heads)):
        return frozenset(row.name for row in alone)
    often = Counter(row.name for row in heads)
    # "Listen: ..." at the start of a line may be wrapped speech that contains a colon.
    placed = {
        row.name
        for row in heads
        if row.head
        and row.head.speech
        and (row.apart or not layout.spaced)
        and (row.head.name.isupper() or len(row.head.name.split()) <= 3)
    }
    plausible = placed | {name for name, count in often.items() if count > 1}
    if layout.column is None and sum(often[name] for name in plausible) >= _EVERY_LINE * len(rows):
        plausible |= set(_unusual_names(rows))
    together = {row.name for row in heads if all(part in plausible for part in _TOGETHER.split(row.name))}
    return frozenset(plausible | together)


def _unusual_names(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the longer names of a file where nearly every line begins with a name."""
    for before, row in pairwise(rows):
        if row.head and not row.head.doubtful and FINISHED.search(before.text) and not _CLAUSE.match(row.text):
            yield row.name
