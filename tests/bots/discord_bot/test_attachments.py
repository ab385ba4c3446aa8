"""Messages with files, pictures and the like."""

from pathlib import Path
from typing import Any

import pytest

from charbot.personas.library import Library
from tests.bots.discord_bot.harness import ME, run, script, stage

_STICKER = {"sticker_items": [{"id": "5", "name": "wave", "format_type": 1}]}
_POLL = {
    "poll": {
        "question": {"text": "Tea?"}, "answers": [{"answer_id": 1, "poll_media": {"text": "Yes"}}],
        "expiry": "2026-12-01T00:00:00+00:00", "allow_multiselect": False, "layout_type": 1,
    }
}  # fmt: skip


@run
async def test_text_files_are_read(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        attach = on.discord.attach
        await on.discord.say(f"{ME}", attachments=[attach("message.txt", b"Is there tea?", "text/plain; charset=utf-8")])
        await on.discord.say(f"{ME} Listen:", attachments=[attach("b.TXT", "Süß \xff".encode("latin-1"), "")])
        assert await on.heard(2) == ["Ann clean 1: Is there tea?", "Ann clean 3: Listen: S\ufffd\ufffd \ufffd"]
        await on.discord.say(f"{ME}", attachments=[attach("long.txt", b"x " * 9000 + b"end", "text/plain")])
        assert (await on.heard(3))[2].endswith("x x end")
        assert len(script.asked[2]) < 1000


@run
async def test_files_that_cannot_be_read_cost_no_answer(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Tea?", attachments=[on.discord.attach("gone.txt", None, "text/plain")])
        await on.heard(1)
        await on.discord.say(f"{ME} Milk?", attachments=[on.discord.attach("large.txt", b"x" * 70_000, "text/plain")])
        assert await on.heard(2) == ["Ann clean 1: Tea?", "Ann clean 3: Milk?"]


@run
@pytest.mark.parametrize(
    ("more", "kind"),
    [("image/png", "pictures"), ("audio/ogg", "recordings"), ("", "files"), (_STICKER, "stickers"), (_POLL, "polls")],
)
async def test_what_cannot_be_seen_is_not_taken_for_a_greeting(
    shared_library: Library, tmp_path: Path, more: dict[str, Any] | str, kind: str
) -> None:
    async with stage(shared_library, tmp_path) as on:
        fields = {"attachments": [on.discord.attach("a", b"", more)]} if isinstance(more, str) else more
        await on.discord.say(f"{ME}", **fields)
        assert await on.heard(1) == [f"I can't see {kind} from here, you know. Tell me about it!"]
        await on.told("settings", manager=True, media_replies=False)
        await on.discord.say(f"{ME}", **fields)
        await on.discord.say(f"{ME} It is tea", **fields)
        assert (await on.heard(2))[1] == "Ann clean 3: It is tea"


@run
async def test_what_is_forwarded_is_read(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        snapshot = {"message": {**on.discord._made(2, "Is there tea?"), "flags": 0}}
        await on.discord.say("", channel=9, message_snapshots=[snapshot])
        assert await on.heard(1) == ["Ann clean 1: Is there tea?"]
