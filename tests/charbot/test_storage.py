from pathlib import Path

import pytest

from charbot.storage import read_bounded, replace_file, replace_folder, sha256


def test_a_file_is_replaced_or_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"

    def one(new: Path) -> None:
        new.write_text("one")

    replace_file(path, one)
    assert path.read_text() == "one"

    def half(new: Path) -> None:
        new.write_text("tw")
        raise OSError("no space left")

    with pytest.raises(OSError, match="space"):
        replace_file(path, half)
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_folder_is_replaced_or_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with replace_folder(path) as new:
        (new / "a").write_text("one")
    with pytest.raises(ZeroDivisionError), replace_folder(path) as new:
        (new / "a").write_text(str(1 / 0))
    assert (path / "a").read_text() == "one"
    with replace_folder(path) as new:
        (new / "b").write_text("three")
    assert [p.name for p in path.iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_folder_survives_a_failed_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle"
    with replace_folder(path) as new:
        (new / "a").write_text("one")
    rename = Path.replace

    def fail_at_last(self: Path, target: Path) -> Path:
        # The new folder cannot take its place; putting the old one back works.
        if target == path and not self.name.endswith(".old"):
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fail_at_last)
    with pytest.raises(OSError, match="no"), replace_folder(path) as new:
        (new / "a").write_text("two")
    assert (path / "a").read_text() == "one"


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256(tmp_path / "empty").startswith("e3b0c442")


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"tea")
    assert read_bounded(path, 3) == b"tea"
    for endless, limit in ((path, 2), (Path("/dev/zero"), 2_000_000)):
        with pytest.raises(ValueError, match=f"is larger than {limit // 1_000_000} MB"):
            read_bounded(endless, limit)
