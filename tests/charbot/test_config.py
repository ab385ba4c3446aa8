from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from charbot.config import ChatSettings, Config, load_config, override
from charbot.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent


def _load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")
    return load_config(path)


def test_the_shipped_file_holds_the_defaults() -> None:
    assert load_config(ROOT / "config.yaml") == Config()


def test_the_shipped_file_comments_every_group() -> None:
    for line in (ROOT / "config.yaml").read_text("utf-8").splitlines():
        if line.startswith("  ") and not line.startswith("   ") and line.count(":") == 1:
            assert "#" in line or line.rstrip().endswith(":"), line


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    config = _load(tmp_path, "chat:\n  temperature: 1\n")
    assert config.chat.temperature == 1.0
    assert config.chat.candidates == Config().chat.candidates
    assert _load(tmp_path, "") == Config()
    assert _load(tmp_path, "chat:\ntrain:\n  word:\n    base:\n") == Config()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("chat:\n  temprature: 1\n", ["`chat.temprature`", "temperature", "config.yaml"]),
        ("chat:\n  temperature: hot\n", ["`chat.temperature`", "'hot'", "a number"]),
        ("chat:\n  temperature: 9\n", ["`chat.temperature`", "0.05 to 2"]),
        ("chat:\n  temperature: .nan\n", ["`chat.temperature`", "0.05 to 2"]),
        ("chat:\n  candidates: true\n", ["`chat.candidates`", "whole number"]),
        ("chat:\n  unit: syllable\n", ["`chat.unit`", "word, char"]),
        ("chat: 3\n", ["chat", "key: value"]),
        ("- a\n", ["the file"]),
        ("chat: [\n", ["line 2"]),
        ("train:\n  word:\n    base:\n      epochs: 0\n", ["`train.word.base.epochs`", "1 to 1000"]),
        ("chat:\n  seed: 99999999999999999999\n", ["`chat.seed`", "0 to 9223372036854775807"]),
        ("chat:\n  seed: -1\n", ["`chat.seed`", "0 to 9223372036854775807"]),
        (f"chat:\n  seed: 0x{'f' * 9000}\n", ["`chat.seed` is a number too long to write", "0 to 9223372036854775807"]),
        (f"chat:\n  temperature: 1{'0' * 400}\n", ["`chat.temperature`", "0.05 to 2"]),
        ("chat:\n  seed: 2020-13-45\n", ["no value: month must be in 1..12"]),
        ('chat:\n  seed: !!int ""\n', ["no value"]),
        ("chat: !!timestamp never\n", ["no value"]),
        ("[" * 100_000, ["nested too deeply"]),
        ("chat: \0\n", ["no value", "special characters"]),
        ("chat:\n  seed: 1\n  unit: char\n  seed: 2\n", ["line 4", "`seed` is given twice"]),
        ("chat:\n  seed: 1\nchat:\n  unit: char\n", ["line 3", "`chat` is given twice"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, names: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text)
    for name in names:
        assert name in str(caught.value)
    assert "config.yaml" in str(caught.value)


def test_a_value_of_gigabytes_is_named_in_short(tmp_path: Path) -> None:
    lists = "\n".join(f"  - &a{level} [{', '.join([f'*a{level - 1}'] * 9) if level else 'tea'}]" for level in range(12))
    with pytest.raises(ConfigError, match=r"`chat.persona` is \[\['tea'\], .*; it must be text") as caught:
        _load(tmp_path, f"chat:\n  persona:\n{lists}\n")
    assert len(str(caught.value)) < 1_000


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"chat: \xff\xfe")
    with pytest.raises(ConfigError, match=r"latin\.yaml"):
        load_config(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match=f"{tmp_path.name}: cannot be read"):
        load_config(tmp_path)
    with pytest.raises(ConfigError, match="/dev/zero: is larger than 1 MB"):
        load_config(Path("/dev/zero"))


def test_null_is_a_value_only_where_it_may_be(tmp_path: Path) -> None:
    assert _load(tmp_path, "chat:\n  seed: null\n").chat.seed is None
    with pytest.raises(ConfigError, match="candidates"):
        _load(tmp_path, "chat:\n  candidates: null\n")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"temperature": -1}, "`temperature` is -1; allowed: 0.05 to 2"),
        ({"temperature": float("nan")}, "`temperature` is nan; allowed: 0.05 to 2"),
        ({"temperature": "a"}, "`temperature` is 'a'; it must be a number"),
        ({"top_p": 0}, "`top_p` is 0; allowed: 0.05 to 1"),
        ({"candidates": 0}, "`candidates` is 0; allowed: 1 to 64"),
        ({"max_words": 2}, "`max_words` is 2; allowed: 3 to 200"),
        ({"context_turns": 0}, "`context_turns` is 0; allowed: 1 to 50"),
        ({"seed": 2**70}, f"`seed` is {2**70}; allowed: 0 to {2**63 - 1}"),
        ({"clean": 1}, "`clean` is 1; it must be true or false"),
        ({"unit": "syllable"}, "`unit` is 'syllable'; allowed: word, char"),
        ({"unclean_words": "darn"}, "`unclean_words` is 'darn'; it must be a list of texts: [this, that]"),
    ],
)
def test_chat_settings_made_in_python_are_checked(settings: dict[str, Any], problem: str) -> None:
    for make in (ChatSettings, partial(replace, ChatSettings())):
        with pytest.raises(ConfigError) as caught:
            make(**settings)
        assert str(caught.value) == problem


def test_a_list_of_words_is_as_good_as_a_tuple() -> None:
    assert ChatSettings(unclean_words=["darn"]) == ChatSettings(unclean_words=("darn",))  # type: ignore[arg-type]
    assert hash(ChatSettings(unclean_words=["darn"]))  # type: ignore[arg-type]


def test_a_path_may_be_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("chat: {seed: 4}")
    assert load_config(str(tmp_path / "config.yaml")).chat.seed == 4


def test_override_names_its_source() -> None:
    assert override(Config(), {"chat": {"seed": 4}}, "here").chat.seed == 4
    with pytest.raises(ConfigError, match="the command line"):
        override(Config(), {"chat": {"seed": "x"}}, "the command line")
    with pytest.raises(ConfigError, match=r"/set: `chat\.seed` is a number too long to write"):
        override(Config(), {"chat": {"seed": 2**20_000}}, "/set")
