import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.errors import ScriptError
from charbot.scripts import files
from charbot.scripts.files import script_files

TEXTS = {"S01/b.txt": b"Ned: Hello.", "a.txt": b"Olga: Hi."}


def contents(path: Path) -> dict[str, bytes | str]:
    """What is in each file below `path`, or why it is not read."""
    found: dict[str, bytes | str] = {}
    for file in script_files(path):
        name = file.path.relative_to(path).as_posix()
        try:
            found[name] = file.read()
        except ScriptError as error:
            found[name] = str(error)
    return found


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_tar(path: Path, members: Mapping[str, bytes], *special: tarfile.TarInfo) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for entry in special:
            tar.addfile(entry)
    pack = {".gz": gzip, ".tgz": gzip, ".bz2": bz2, ".tbz2": bz2, ".xz": lzma, ".txz": lzma}.get(path.suffix)
    path.write_bytes(pack.compress(packed.getvalue()) if pack else packed.getvalue())
    return path


def test_folders_are_walked_in_order(tmp_path: Path) -> None:
    for name, data in TEXTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert contents(tmp_path) == TEXTS
    assert list(contents(tmp_path)) == ["S01/b.txt", "a.txt"]
    assert [file.read() for file in script_files(tmp_path / "a.txt")] == [b"Olga: Hi."]


@pytest.mark.parametrize("name", ["a.zip", "A.ZIP"])
def test_zips_are_opened(tmp_path: Path, name: str) -> None:
    assert contents(write_zip(tmp_path / name, {"S01/": b"", **TEXTS})) == TEXTS


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tbz2", "a.tar.xz", "a.txz"])
def test_tars_are_opened(tmp_path: Path, name: str) -> None:
    folder = tarfile.TarInfo("S02")
    folder.type = tarfile.DIRTYPE
    assert contents(write_tar(tmp_path / name, TEXTS, folder)) == TEXTS


def test_archives_in_folders_are_opened(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", TEXTS)
    (tmp_path / "b.txt").write_bytes(b"Ned: Hi.")
    assert list(contents(tmp_path)) == ["a.zip/S01/b.txt", "a.zip/a.txt", "b.txt"]


def test_gzipped_files_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"Ned: Hello."))
    assert [file.read() for file in script_files(path)] == [b"Ned: Hello."]


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.zip", {"c.txt": b"c"}).read_bytes()
    path = write_tar(tmp_path / "a.tar", {**TEXTS, "inner.zip": inner})
    assert contents(path) == {**TEXTS, "inner.zip": inner}


@pytest.mark.parametrize("name", [".b.txt", ".git/b.txt", "S01/.b/c.txt", "__MACOSX/b.txt", "S01\\.b.txt"])
def test_hidden_files_are_left_alone(tmp_path: Path, name: str) -> None:
    members = {name: b"b", "a.txt": b"a"}
    assert contents(write_zip(tmp_path / "a.zip", members)) == {"a.txt": b"a"}
    assert contents(write_tar(tmp_path / "a.tar", members)) == {"a.txt": b"a"}


def test_a_dot_before_all_names_hides_nothing(tmp_path: Path) -> None:
    assert contents(write_tar(tmp_path / "a.tar", {"./a.txt": b"a", "./S01/b.txt": b"b"})) == {"a.txt": b"a", "S01/b.txt": b"b"}


@pytest.mark.parametrize(
    "name", ["../b.txt", "S01/../../b.txt", "/etc/b.txt", "//b.txt", "///b.txt", "..\\b.txt", "\\\\server\\b.txt"]
)
def test_members_outside_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / "a.zip", tmp_path / "a.tar"):
        (write_zip if path.suffix == ".zip" else write_tar)(path, {name: b"b", "a.txt": b"a"})
        (refused, plain) = script_files(path)
        with pytest.raises(ScriptError, match=r"^climbs out of its archive$"):
            refused.read()
        assert plain.path == path / "a.txt"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_is_no_plain_file_in_a_tar_is_refused(tmp_path: Path, kind: bytes) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hush")
    entry = tarfile.TarInfo("b.txt")
    entry.type, entry.linkname = kind, str(secret)
    assert contents(write_tar(tmp_path / "a.tar", {"a.txt": b"a"}, entry)) == {"a.txt": b"a", "b.txt": "is no plain file"}


def test_files_of_any_kind_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"large.txt": b"a" * 101, "small.txt": b"a" * 100}
    write_zip(tmp_path / "a.zip", members)
    write_tar(tmp_path / "b.tgz", members)
    for name, data in members.items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    found = contents(tmp_path)
    assert len(found) == 8
    for name, result in found.items():
        assert result == b"a" * 100 if "small" in name else str(result).startswith("is larger than")


@pytest.mark.usefixtures("quick")
def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(20_000_000), 1))
    write_zip(tmp_path / "b.zip", {"b.txt": bytes(20_000_000)})
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    assert all(isinstance(reason, str) and reason.startswith("is larger than") for reason in contents(tmp_path).values())


@pytest.mark.parametrize(("count", "complaints"), [(3, 0), (4, 1)])
@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_an_archive_has_a_bound_on_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int, complaints: int
) -> None:
    members = {f"{number}.txt": b"a" for number in range(count)}
    path = (write_zip if name == "a.zip" else write_tar)(tmp_path / name, members)
    monkeypatch.setattr(files, "MAX_MEMBERS", 3)
    found = contents(path)
    assert sum(data == b"a" for data in found.values()) == 3
    assert sum("more than 3 files" in str(data) for data in found.values()) == complaints


@pytest.mark.parametrize("name", ["a.txt.gz", "a.zip", "a.tar", "a.tgz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("part", [0.01, 0.5, 0.9])
def test_what_is_cut_off_is_damaged(tmp_path: Path, name: str, part: float) -> None:
    noise = {"a.txt": random.Random(0).randbytes(20_000)}
    path = tmp_path / name
    if name == "a.txt.gz":
        path.write_bytes(gzip.compress(noise["a.txt"]))
    else:
        (write_zip if name == "a.zip" else write_tar)(path, noise)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * 20_000)])
    reasons = list(contents(path).values())
    assert reasons
    assert all(str(reason).startswith("is damaged: ") for reason in reasons)


@pytest.mark.parametrize(
    "data", [b"", b"Ned: Hello.", b"PK\5\6" + bytes(18), b"PK\5\6" + b"\xff" * 18, bytes(2_000), b"\x1f\x8b"]
)
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.gz"])
def test_what_only_looks_like_an_archive_is_refused_if_it_holds_anything(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    for reason in contents(tmp_path).values():
        assert not reason or (isinstance(reason, str) and reason.startswith(("is damaged: ", "cannot be read: ")))
        assert "\n" not in str(reason)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.txt": b"a"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    (reason,) = contents(path).values()
    assert isinstance(reason, str)
    assert reason.startswith("is damaged: ")
    assert "encrypted" in reason


def test_a_zip_packed_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.txt": b"a"})
    data = bytearray(path.read_bytes())
    for at in (8, data.index(b"PK\1\2") + 10):
        data[at : at + 2] = struct.pack("<H", 97)
    path.write_bytes(data)
    (reason,) = contents(path).values()
    assert str(reason).startswith("is damaged: ")


def test_a_zip_that_lies_about_its_content_is_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"Ned: Hello.")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"Ned: Hello.", b"Ned: Howdy."))
    assert str(*contents(tmp_path / "a.zip").values()).startswith("is damaged: Bad CRC")


@pytest.mark.parametrize(("name", "bytes_"), [("é.txt", b"\xff\xff.txt"), ("a.txt", b"\0.txt")])
def test_a_zip_with_an_invalid_file_name_is_read_or_damaged(tmp_path: Path, name: str, bytes_: bytes) -> None:
    path = write_zip(tmp_path / "a.zip", {name: b"a", "b.txt": b"b"})
    path.write_bytes(path.read_bytes().replace(name.encode(), bytes_))
    assert all(reason in (b"a", b"b") or str(reason).startswith("is damaged: ") for reason in contents(path).values())


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="nowhere: no such file or folder"):
        list(script_files(tmp_path / "nowhere"))


def damaged(name: str, changes: list[tuple[int, int]]) -> list[str | bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        (write_zip if name.endswith(".zip") else write_tar)(path, {**TEXTS, "é.txt": b"a" * 600})
        data = bytearray(path.read_bytes())
        for at, byte in changes:
            data[at % len(data)] = byte
        path.write_bytes(data)
        return list(contents(path).values())


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
@given(changes=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=6))
def test_any_damage_is_survived(name: str, changes: list[tuple[int, int]]) -> None:
    for data in damaged(name, changes):
        assert isinstance(data, bytes) or data.startswith(("is damaged: ", "climbs out", "is no plain file", "is larger than"))
