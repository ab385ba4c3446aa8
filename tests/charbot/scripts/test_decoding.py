import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.errors import ScriptError
from charbot.scripts.decoding import decode

PAGE = "<html>" + "<p><b>Dora:</b> It’s a café…</p><p><b>Wilf:</b> (sits) Is it?</p>" * 10


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_decode_reads_what_people_have(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert decode(mark + PAGE.encode(encoding)) == PAGE


def test_decode_reads_latin_1() -> None:
    assert decode("Où est le café ? Là-bas, déjà.".encode("latin-1")) == "Où est le café ? Là-bas, déjà."


def test_decode_mends_a_file_of_two_encodings() -> None:
    assert decode("It’s a café. ".encode() + "It’s a café.".encode("cp1252")) == "It’s a café. It’s a café."


def test_decode_guesses_where_cp1252_has_no_such_byte() -> None:
    assert "Ned" in decode(b"Ned: \x81\x8d\x8f caf\xe9")


def test_decode_mends_what_other_programs_did() -> None:
    twice = "It’s a café".encode().decode("cp1252").encode()
    assert decode(twice + "\nin É".encode()) == "It’s a café\nin É"
    assert decode("It<c2><92>s a caf<c3><a9><c2>, ma<c3>±ana.".encode()) == "It’s a café, mañana."
    assert decode("It\x92s".encode()) == "It’s"
    assert decode("<b>Dora</b>: café <ad> <3".encode()) == "<b>Dora</b>: café  <3"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Неля: Ты кормил цаплю сегодня утром?\nБартек: Нет, она улетела в полдень.\n"),
        ("koi8-r", "Неля: Ты кормил цаплю сегодня утром?\nБартек: Нет, она улетела в полдень.\n"),
        ("cp1253", "Νέλη: Τάισες τον ερωδιό σήμερα το πρωί;\nΜίρνα: Όχι, πέταξε μακριά το μεσημέρι.\n"),
        ("mac-roman", "Nele: It’s late, isn’t it?\nBartók: “Late,” she says. Où est le café?\n"),
        ("cp1252", "Nele: Où est l’été? Là-bas, déjà.\nBärtöck: Schöne Größe, über alle Öfen.\n"),
    ],
)
def test_decode_tells_encodings_of_one_byte_apart(encoding: str, text: str) -> None:
    assert decode((text * 6).encode(encoding)) == text * 6


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF; save its text"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml" + b"\0" * 99, "is an Office document"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/epub+zipPK", "is an EPUB book"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.textPK", "is an ODF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Word document"),
    ],
)
def test_decode_says_what_to_do_with_documents(data: bytes, problem: str) -> None:
    with pytest.raises(ScriptError, match=problem):
        decode(data)


def test_decode_reads_rich_text() -> None:
    assert decode(rb"{\rtf1\ansi Nele: A caf\'e9.\par}") == "Nele: A café.\n"


@given(st.binary(max_size=40))
def test_decode_gives_text_or_says_that_it_is_none(data: bytes) -> None:
    try:
        text = decode(data)
    except ScriptError as error:
        assert str(error) == "is not a text file" or "; save" in str(error)  # noqa: PT017
    else:
        text.encode()  # no lone surrogates
