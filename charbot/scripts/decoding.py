"""Decode the bytes of a file into text, and repair what other programs did to it."""

import codecs
import re
from contextlib import suppress

from charbot.errors import ScriptError
from charbot.scripts.rtf import rtf_text

_ESCAPED_BYTES = re.compile(r"(<[0-9a-f]{2}>(?:<[0-9a-f]{2}>)*)([\x80-\xbf]*)")
_DOCUMENTS = (
    (re.compile(rb"%PDF-"), "is a PDF; save its text first (pdftotext -layout)"),
    (re.compile(rb"PK\x03\x04.{0,60}mimetypeapplication/epub", re.S), "is an EPUB book; save it as plain text or HTML first"),
    (re.compile(rb"PK\x03\x04.{0,4000}(?:word/|\[Content_Types\])", re.S), "is an Office document; save it as plain text first"),
    (re.compile(rb"PK\x03\x04.{0,60}mimetypeapplication/vnd\.oasis", re.S), "is an ODF document; save it as plain text first"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "is an old Word document; save it as plain text first"),
)
"""How documents begin that hold text among other things, and what to do with them."""
_RTF = b"{\\rtf"
_FOREIGN = 0.4
"""Share of letters beyond ASCII above which a text is in no western language, so that cp1252 is wrong."""
_MAC_QUOTES = re.compile(r"[a-z]Õ[a-z]|Ò[A-Z][^Ó]{1,200}Ó")


def decode(data: bytes) -> str:
    """Decode bytes as UTF-8 where it is valid, else as the likeliest encoding, and repair mojibake.

    Raises ScriptError with a predicate as its message if they are not text.
    """
    for begin, problem in _DOCUMENTS:
        if begin.match(data):
            raise ScriptError(problem)
    if data.startswith(_RTF):
        return rtf_text(data)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return _mended(text)
    if b"\0" in data[:4096]:
        raise ScriptError("is not a text file")
    import ftfy

    return ftfy.fix_encoding(_decode_bytes(data))


def _decode_bytes(data: bytes) -> str:
    """Decode bytes of an encoding that has one byte per character, or is Asian."""
    import charset_normalizer

    with suppress(UnicodeDecodeError):
        text = data.decode("cp1252")
        if len(_MAC_QUOTES.findall(text)) > 1:
            return data.decode("mac-roman")
        letters = [char for char in text if char.isalpha()]
        if sum(not char.isascii() for char in letters) <= _FOREIGN * len(letters):
            return text
    best = charset_normalizer.from_bytes(data).best()
    return str(best) if best else data.decode("latin-1")


def _mended(text: str) -> str:
    """Repair what other programs did to a text before it was saved as valid UTF-8."""
    if _ESCAPED_BYTES.search(text):
        text = _ESCAPED_BYTES.sub(_unescaped, text)
    if not text.isascii():
        import ftfy

        # ASCII has no mojibake, and to look for it takes long.
        lines = text.splitlines(keepends=True)
        text = "".join(line if line.isascii() else ftfy.fix_encoding(line) for line in lines)
    return text


def _unescaped(match: re.Match[str]) -> str:
    """Decode bytes that R printed as <c2><93>, together with any bytes after them that it left as characters."""
    return (bytes.fromhex(match[1].replace("><", "")[1:-1]) + match[2].encode("latin-1")).decode("utf-8", "ignore")
