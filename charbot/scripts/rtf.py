"""Rich Text Format, as TextEdit, WordPad and Word save it: the text of a document, damaged ones included."""

import re
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    rb"\\(?:([a-zA-Z]{1,32})(-?\d{1,9})? ?|'([0-9a-fA-F]{2})|(.))|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\", re.S
)  # fmt: skip
"""A control word with its number; a byte; a control symbol; the border of a group; text."""
_CHARACTERS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "nestrow": "\n",
    "tab": "\t", "cell": "\t", "nestcell": "\t",
    "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•",
    "emspace": " ", "enspace": " ", "qmspace": " ",
    "\n": "\n", "\r": "\n", "~": " ", "_": "-", "\\": "\\", "{": "{", "}": "}",
}  # fmt: skip
"""What control words and symbols stand for; a backslash at the end of a line ends a paragraph."""
_UNSEEN = frozenset(
    ("*", "fonttbl", "colortbl", "stylesheet", "info", "pict", "nonshppict", "objdata", "header", "headerl", "headerr", "headerf",
     "footer", "footerl", "footerr", "footerf", "footnote", "annotation", "filetbl", "listtable", "listoverridetable", "revtbl",
     "fldinst", "listtext", "pntext", "themedata", "colorschememapping", "latentstyles", "datastore", "xmlnstbl", "bkmkstart",
     "bkmkend", "xe", "tc", "txe", "rxe")
)  # fmt: skip
"""Words that make a group something else than text in the place where it stands."""
_ENCODINGS = {"mac": "mac-roman", "pc": "cp437", "pca": "cp850"}
_CHARSETS = {
    0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
"""The encodings of fonts."""
_CODE_PAGES = {10000: "mac-roman", 65001: "utf-8", **{int(name[2:]): name for name in _CHARSETS.values() if name[:2] == "cp"}}


@dataclass(frozen=True, slots=True)
class _State:
    """What holds up to the end of a group."""

    unseen: bool = False
    hidden: bool = False
    font: int = -1
    fallback: int = 1
    """The number of characters after one in Unicode that stand for it in older programs."""


def rtf_text(data: bytes) -> str:
    """Return the text of a document, in lines as they were typed. Never raises."""
    return _Reader().read(data)


class _Reader:
    """The text so far, and what control words have set."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._bytes = bytearray()
        """Bytes that are not decoded yet: a character may have two."""
        self._encoding, self._encodings = "cp1252", dict[int, str]()
        self._state = _State()
        self._outer: list[_State] = []
        self._skipped = 0

    def read(self, data: bytes) -> str:
        at = 0
        while match := _TOKEN.match(data, at):
            at = match.end()
            word, number, code, symbol, border, text = match.groups()
            if word == b"bin":
                at += max(0, int(number or 0))
            elif word or symbol:
                self._control((word or symbol).decode("latin-1"), int(number) if number else None)
            elif code:
                self._add(bytes.fromhex(code.decode()))
            elif text:
                self._add(text)
            elif border:
                self._border(border)
        self._decode()
        # Characters beyond the first 65,536 are written in two halves.
        return "".join(self._pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _border(self, border: bytes) -> None:
        self._decode()
        self._skipped = 0
        if border == b"{":
            self._outer.append(self._state)
        elif self._outer:
            self._state = self._outer.pop()

    def _control(self, word: str, number: int | None) -> None:
        state = self._state
        self._decode()
        # Some programs write no character for older ones; then no word may be lost.
        self._skipped = 0
        if word == "u" and number is not None:
            self._show(chr(number & 0xFFFF))
            self._skipped = state.fallback
        elif word in _CHARACTERS:
            self._show(_CHARACTERS[word])
        elif word in _UNSEEN:
            self._state = replace(state, unseen=True)
        elif word in ("v", "deleted"):
            self._state = replace(state, hidden=number != 0)
        elif word == "plain":
            self._state = replace(state, hidden=False, font=-1)
        elif word == "uc":
            self._state = replace(state, fallback=max(0, number or 0))
        elif word == "f":
            self._state = replace(state, font=number or 0)
        elif word == "fcharset":
            self._encodings[state.font] = _CHARSETS.get(number or 0, self._encoding)
        elif word == "ansicpg" or word in _ENCODINGS:
            self._encoding = _ENCODINGS.get(word) or _CODE_PAGES.get(number or 0, self._encoding)

    def _add(self, text: bytes) -> None:
        """Add bytes, without those that stand for the character in Unicode before them."""
        skipped = min(self._skipped, len(text))
        self._skipped -= skipped
        self._bytes += text[skipped:]

    def _decode(self) -> None:
        encoding = self._encodings.get(self._state.font, self._encoding)
        self._show(self._bytes.decode(encoding, "replace"))
        self._bytes.clear()

    def _show(self, text: str) -> None:
        if not (self._state.unseen or self._state.hidden):
            self._pieces.append(text)
