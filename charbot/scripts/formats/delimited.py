"""CSV and TSV with a header: one record per line of dialogue, in columns with common names."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.columns import brackets_of, episode_name, kind_of, names_in, plain
from charbot.scripts.formats.csv_records import Record, records, table_lines
from charbot.scripts.formats.table_header import Header, find_header

_SPOKEN = frozenset(("talk", "speech", "dialogue", "dialog", "line", "spoken", "message", "utterance"))
"""Values of a column of kinds that mark records as speech."""


@dataclass(frozen=True)
class Delimited:
    """Tables of dialogue, such as a whole show in one file."""

    columns: Mapping[str, str] | None = None
    """The columns of fields, where the user names them."""
    name = "csv"

    def confidence(self, text: str) -> float:
        return 0.95 if find_header(text, self.columns) else 0.0

    def brackets(self, text: str) -> str:
        return brackets_of(text)

    def tags(self, text: str) -> Iterator[LineTag]:
        header = find_header(text, self.columns)
        if header is None:
            return
        lines = table_lines(text)
        kinds = _kinds(header, lines)
        episode = scene = None
        for record in records(lines, header.delimiter):
            reason = _not_dialogue(header, record)
            if reason is not None:
                if reason:
                    text_of = lines[record.first - 1] if record.error else header.delimiter.join(record.fields)
                    yield LineTag(record.first, "omission", text_of, reason)
                continue
            values = _values(header, record)
            if "season" in values or "episode" in values:
                place = episode_name(values.get("season", ""), values.get("episode", ""))
                if place != episode:
                    yield LineTag(record.first, "episode", place)
                    episode, scene = place, values.get("scene")
            if values.get("scene") != scene:
                yield LineTag(record.first, "scene", "")
                scene = values["scene"]
            spoken = kinds is None or values.get("kind", "").strip().casefold() in kinds
            yield from _turn(record, header.delimiter, values, spoken)


def _kinds(header: Header, lines: list[str]) -> frozenset[str] | None:
    """Return the values of the column of kinds that mark speech, or None if it marks none."""
    if "kind" not in header.fields:
        return None
    column = header.fields["kind"]
    counts = Counter(
        record.fields[column].strip().casefold() for record in records(lines, header.delimiter) if column < len(record.fields)
    )
    spoken = frozenset(counts) & _SPOKEN
    return spoken if sum(counts[kind] for kind in spoken) > 0.3 * counts.total() else None


def _not_dialogue(header: Header, record: Record) -> str | None:
    """Return the reason why a record holds no dialogue: empty for an empty one; None if it may hold dialogue."""
    if record.error:
        return "unreadable record"
    cells = [cell.strip() for cell in record.fields]
    if not any(cells):
        return ""
    if header.columns and cells == [column.strip() for column in header.columns]:
        # Concatenated tables repeat the header.
        return "title"
    width = max(header.fields["speaker"], header.fields["text"]) + header.row_names
    return "unreadable record" if len(cells) <= width else None


def _values(header: Header, record: Record) -> dict[str, str]:
    """Return the value of each field of a record."""
    cells = record.fields[header.row_names :]
    return {field: cells[i] if i < len(cells) else "" for field, i in header.fields.items()}


def _turn(record: Record, delimiter: str, values: Mapping[str, str], spoken: bool) -> Iterator[LineTag]:
    """Yield the tags of a record, which says something unless its kind or its speaker tells otherwise."""
    speaker = " and ".join(names_in(values["speaker"]))
    kind = kind_of(speaker)
    if kind != "name" or not spoken:
        reason = {"scene": "", "omission": "said by nobody", "name": "stage direction"}[kind]
        yield LineTag(record.first, "omission" if kind == "name" else kind, delimiter.join(record.fields), reason)
        return
    yield LineTag(record.first, "name", speaker)
    yield LineTag(record.first, "speech", plain(values["text"]))
