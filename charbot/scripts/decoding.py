"""Decode the bytes of a file into text, and repair what other programs did to it."""

import codecs
import re

from charbot.errors import ScriptError

_ESCAPED_BYTES = re.compile(r"((?:<[0-9a-f]{2}>)+)([\x80-\xbf]*)")
_CONTROLS = re.compile("[\x80-\x9f]")


def decode(data: bytes) -> str:
    """Decode bytes as UTF-8 where it is valid, else as the likeliest encoding, and repair mojibake.

    Raises ScriptError if they are not text.
    """
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
    import charset_normalizer
    import ftfy

    try:
        return ftfy.fix_encoding(data.decode("cp1252"))
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(data).best()
        return ftfy.fix_encoding(str(best) if best else data.decode("latin-1"))


def _mended(text: str) -> str:
    """Repair what other programs did to a text before it was saved as valid UTF-8."""
    if _ESCAPED_BYTES.search(text):
        text = _ESCAPED_BYTES.sub(_unescaped, text)
    if not text.isascii():
        import ftfy
        from ftfy.badness import is_bad

        if _CONTROLS.search(text) or is_bad(text):
            text = "".join(map(ftfy.fix_encoding, text.splitlines(keepends=True)))
    return text


def _unescaped(match: re.Match[str]) -> str:
    """Decode bytes that R printed as <c2><93>, together with any bytes after them that it left as characters."""
    return (bytes.fromhex(match[1].replace("><", "")[1:-1]) + match[2].encode("latin-1")).decode("utf-8", "ignore")
