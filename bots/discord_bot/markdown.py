"""Escaping of text that others wrote, so that Discord shows it as it is."""

import re

_LINK = re.compile(r"https?://[^\s<>()\[\]|*`\\]+", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\*_~`|\[\]<>]|^[#-]", re.MULTILINE)
"""Characters of Discord's Markdown, and of its codes for mentions, emoji and timestamps."""


def escape(text: str) -> str:
    """Return a text without Markdown: a masked link shows its address, and no link has a preview."""
    parts, end = [], 0
    for link in _LINK.finditer(text):
        parts += [_SPECIAL.sub(r"\\\g<0>", text[end : link.start()]), f"<{link[0]}>"]
        end = link.end()
    return "".join([*parts, _SPECIAL.sub(r"\\\g<0>", text[end:])])


def quote(text: str) -> str:
    """Return a text as a quotation of what somebody wrote, escaped."""
    return "\n".join(f"> {line}" for line in escape(text).splitlines() or [""])
