"""Exports the corpus in formats that other programs read."""

import csv
import json
from collections.abc import Iterable, Sequence
from typing import TextIO

from charbot.dialogue import Utterance
from charbot.scripts.line import Line


def export_lines(lines: Iterable[Line], kind: str, out: TextIO) -> None:
    """Write lines as JSON lines (`kind` "jsonl") or as CSV, one record per line."""
    if kind == "jsonl":
        for line in lines:
            out.write(json.dumps(_record(line), ensure_ascii=False) + "\n")
        return
    writer = csv.writer(out)
    writer.writerow(("show", "episode", "scene", "speaker", "line", "directions"))
    for line in lines:
        writer.writerow((line.show, line.episode, line.scene, line.speaker, line.text, "; ".join(line.directions)))


def export_chat(scenes: Iterable[Sequence[Utterance]], character: str, out: TextIO) -> None:
    """Write each scene in which a character answers somebody as chat messages, the format for fine-tuning chat models.

    The character is the assistant; everybody else is the user, with the speaker's name in the text.
    """
    for scene in scenes:
        messages: list[dict[str, str]] = []
        for turn in scene:
            is_character = turn.speaker == character
            role, text = ("assistant", turn.text) if is_character else ("user", f"{turn.speaker}: {turn.text}")
            if messages and messages[-1]["role"] == role:
                messages[-1]["content"] += f"\n{text}"
            else:
                messages.append({"role": role, "content": text})
        while messages and messages[-1]["role"] == "user":
            messages.pop()
        if any(message["role"] == "user" for message in messages):
            out.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")


def _record(line: Line) -> dict[str, object]:
    return {
        "show": line.show, "episode": line.episode, "scene": line.scene, "speaker": line.speaker, "text": line.text,
        "directions": line.directions,
    }  # fmt: skip
