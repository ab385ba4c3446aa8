from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.files import script_files
from charbot.scripts.reader import read_script
from charbot.scripts.rtf import rtf_text

TEXTEDIT = rb"""{\rtf1\ansi\ansicpg1252\cocoartf2709
\cocoatextscaling0\cocoaplatform0{\fonttbl\f0\fswiss\fcharset0 Helvetica;\f1\fswiss\fcharset0 Helvetica-Bold;}
{\colortbl;\red255\green255\blue255;}
{\*\expandedcolortbl;;}
\pard\tx566\pardirnatural\partightenfactor0

\f1\b\fs24 \cf0 NELE:
\f0\b0  Where is the caf\'e9? \uc0\u8220 Here\u8221 .\
BARTOK: It\'92s gone. \uc0\u55357 \u56842 \
\
NELE: \{All\} of it?\
}"""
WORDPAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0\nouicompat{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fnil\fcharset204 Calibri;}}"
    b"\r\n"
    + rb"{\*\generator Riched20 10.0.19041}\viewkind4\uc1 "
    + b"\r\n"
    + rb"\pard\sa200\f0\fs22\lang9 Nele: Yes.\par"
    + b"\r\n"
    rb"\f1\lang1049\'cd\'e5\'eb\'ff: \'c4\'e0, \u1044?\u1072?.\f0\lang9\par" + b"\r\n}\r\n\0"
)
WORD = (
    rb"{\rtf1\adeflang1025\ansi\ansicpg1252\uc1{\fonttbl{\f0\froman\fcharset0{\*\panose 0202}Times;}}{\info{\title A title}}"
    rb"{\header \pard Page {\field{\*\fldinst PAGE}{\fldrslt 1}}\par}{\stylesheet{\s1 heading;}}{\*\themedata 504b}"
    rb"{\shppict{\pict\pngblip 89504e47\bin4 {\}}}}{\rtlch\fcs1 \ltrch\fcs0 \insrsid1 Nele: See {\field{\*\fldinst HYPERLINK "
    rb'"https://pier.example"}{\fldrslt the pier}}\rquote s end\emdash{\v hidden}{\deleted old }now.\line Or\~not?}\par '
    rb"\trowd\cellx1{Bartok\cell}{I will.\cell}\row}"
)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (TEXTEDIT, "NELE: Where is the café? “Here”.\nBARTOK: It’s gone. 😊\n\nNELE: {All} of it?\n"),
        (WORDPAD, "Nele: Yes.\nНеля: Да, Да.\n\0"),
        (WORD, "Nele: See the pier’s end—now.\nOr not?\nBartok\tI will.\t\n"),
        (rb"{\rtf1\ansi\ansicpg932 \'83\'41\'83B: \'82\'cd}", "アィ: は"),
        (rb"{\rtf1\mac Nele: caf\'8e}", "Nele: café"),
        (rb"{\rtf1\ansi\u233\par e}", "é\ne"),
        (rb"{\rtf1\ansi\uc2\u233\'65\'65\u8211 xyz\plain{\v a\plain b}", "é–zb"),
        (rb"{\rtf1}}} Nele: Hi.\'", " Nele: Hi."),
        (rb"{\rtf1 Nele: Hi.\bin99999 ", "Nele: Hi."),
        (rb"{\rtf1 Nele: \u-10179?", "Nele: �"),
    ],
)
def test_the_text_of_a_document_is_read(document: bytes, text: str) -> None:
    assert rtf_text(document) == text


@given(st.sampled_from([TEXTEDIT, WORDPAD, WORD]), st.integers(0, 900), st.integers(0, 40), st.binary(max_size=6))
def test_damaged_documents_give_text(document: bytes, place: int, length: int, wrong: bytes) -> None:
    rtf_text(document[:place] + wrong + document[place + length :]).encode()


def test_a_script_in_rich_text_has_the_same_lines_as_in_plain_text(tmp_path: Path) -> None:
    text = "NELE: Where is it?\n\nBARTOK: (waves) Gone.\n\n" * 9
    (tmp_path / "s01e01.txt").write_text(text)
    (tmp_path / "s01e01.rtf").write_text(r"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 " + text.replace("\n", "\\\n") + "}")
    rich, plain = (read_script(file) for file in script_files(tmp_path))
    assert rich.lines == plain.lines
    assert rich.sources == plain.sources
