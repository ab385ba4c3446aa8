"""Real training on tiny data: from lines to a bundle that replies."""

import dataclasses
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from charbot.corpus.chats import ChatFiles
from charbot.corpus.table import corpus_table
from charbot.errors import BundleError, CorpusError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.personas.bundle import read_base, read_base_guard, read_guard, read_persona
from charbot.personas.library import Library
from tests.conftest import invented_lines, tiny_config
from trainer.base import check_nobody_is_left, train_base
from trainer.persona import best_share, train_persona
from trainer.run import TrainingRun, prepare_run

pytestmark = pytest.mark.slow
CONFIG = tiny_config(epochs=2)


@pytest.fixture(scope="module")
def run(corpus: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A workshop with both bases fitted."""
    run = prepare_run(CONFIG, corpus, tmp_path_factory.mktemp("out"), Console(quiet=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.response_selector._ENOUGH", 100)
        for unit in ("char", "word"):
            train_base(run, unit)
    return run


def test_a_base_learns_and_leaves_a_report_but_no_checkpoint(run: TrainingRun) -> None:
    for unit in ("char", "word"):
        card, vocabulary = read_base(run.out / "bases" / unit)
        assert set(vocabulary.speakers) == {"Ann", "Bob", "Cy"}
        assert card.scores["test_bits_per_character"] < 3
        assert card.data["lines"] == {"Demo": 960}
        left = {path.name for path in (run.out / "runs" / f"base-{unit}").iterdir()}
        assert {"log.jsonl", "report.html"} <= left
        assert "checkpoint.safetensors" not in left


def test_a_base_may_read_other_scripts_first(run: TrainingRun, tmp_path: Path) -> None:
    other = dataclasses.replace(CONFIG.corpus, valid=0.0, test=0.0)
    lines = [dataclasses.replace(line, show="Other", speaker="Zed", text=f"{line.text} Zounds") for line in invented_lines()]
    prepared = prepare_run(CONFIG, run.table, tmp_path, Console(quiet=True), corpus_table(lines, other))
    for unit in ("char", "word"):
        card, vocabulary = read_base(train_base(prepared, unit))
        assert card.data["lines"] == {"Demo": 960, "Other": 960}
        assert set(vocabulary.speakers) == {"Ann", "Bob", "Cy", "Zed"}
        assert card.scores["test_bits_per_character"] < read_base(run.out / "bases" / unit)[0].scores["test_bits_per_character"]


def _chats(folder: Path, collection: str, count: int, *turns: tuple[str, str]) -> ChatFiles:
    """So many conversations of these turns, which begin differently, in a file of a folder."""
    (folder / collection).mkdir(parents=True)
    lines = [json.dumps({"turns": [["A", f"Hi, {number}!"], *turns]}) for number in range(count)]
    (folder / collection / "file.jsonl").write_text("\n".join(lines))
    return ChatFiles.find([folder / collection], CONFIG.corpus)


def test_a_base_reads_conversations_as_often_as_they_weigh(run: TrainingRun, tmp_path: Path) -> None:
    said = "Zebras would rather have a very long list of words to say here."
    backwards = "Here I say a list that nobody else has, of ostriches and their many cousins."
    chats = _chats(tmp_path, "animals", 5, ("B", "Zebras?"), ("A", said), ("Ann", backwards))
    for weight, known in ((2.0, True), (0.0, False)):
        train = dataclasses.replace(CONFIG.train, weights={"animals": weight})
        config = dataclasses.replace(CONFIG, train=train)
        out = tmp_path / str(weight)
        folder = train_base(prepare_run(config, run.table, out, Console(quiet=True), chats=chats), "word")
        card, vocabulary = read_base(folder)
        assert (" Zebras" in vocabulary.words) == known
        assert card.data["conversations"] == ({"file": 5} if known else {})
        guard = read_base_guard(folder, card)
        assert guard.copies(said) == known, "what people said is not to be quoted"
        assert not guard.copies(backwards), "what was written for a persona is to be said"


def test_a_persona_learns_from_its_voice(run: TrainingRun, tmp_path: Path) -> None:
    voices = _chats(tmp_path, "voices", 40, ("Ann", "The kettle is on!"))
    models = {}
    for name, given in (("with", voices), ("without", None)):
        own = dataclasses.replace(run, out=tmp_path / name, voices=given or run.voices)
        models[name] = read_persona(train_persona(own, Library((run.out,)), "Ann", ("word",), "general")).models["word"]
    scores = models["with"].scores
    assert scores["voice_test_bits_per_character"] < scores["base_voice_test_bits_per_character"]
    assert "voice_test_bits_per_character" not in models["without"].scores
    with pytest.raises(CorpusError, match="nobody called Bob says anything"):
        train_persona(dataclasses.replace(own, voices=voices), Library((run.out,)), "Bob", ("word",), "general")


def test_phrases_are_the_character_units(run: TrainingRun) -> None:
    assert 0 < read_base(run.out / "bases" / "char")[0].architecture["phrases"] <= 300
    assert read_base(run.out / "bases" / "word")[0].architecture["phrases"] == 0


def test_a_selector_is_the_word_unit_s_and_needs_replies_enough(run: TrainingRun) -> None:
    assert read_base(run.out / "bases" / "word")[0].architecture["selector"] == 8
    assert read_base(run.out / "bases" / "char")[0].architecture["selector"] == 0


def test_a_persona_beats_its_base_and_replies(run: TrainingRun) -> None:
    library = Library((run.out,))
    folder = train_persona(run, library, "Ann", ("char", "word"), "general")
    card = read_persona(folder)
    assert (card.name, card.show, card.rating) == ("Ann", "Demo", "general")
    for model_card in card.models.values():
        assert model_card.scores["test_bits_per_character"] < model_card.scores["base_test_bits_per_character"]
    settings = dataclasses.replace(CONFIG.chat, candidates=8)
    reply = Persona(Library((run.out,)), "ann").reply(Conversation().add("More tea?"), settings, seed=1)
    assert reply.text
    assert all(candidate.relevance for candidate in reply.candidates)


def test_one_unit_can_be_trained_again(run: TrainingRun) -> None:
    library = Library((run.out,))
    folder = train_persona(run, library, "Bob", ("char",), "general")
    assert set(read_persona(folder).models) == {"char"}
    assert read_guard(folder, read_persona(folder)).false_alarms == 0, "its base guards all of it"
    first = read_persona(folder).models["char"]
    train_persona(run, Library((run.out,)), "Bob", ("word",), "mature")
    card = read_persona(folder)
    assert set(card.models) == {"char", "word"}
    assert card.models["char"] == first
    assert card.rating == "mature"


def test_a_fit_on_the_same_machine_is_repeatable(run: TrainingRun) -> None:
    sums = []
    for _ in range(2):
        folder = train_persona(run, Library((run.out,)), "Cy", ("char",), "general")
        sums.append(read_persona(folder).models["char"].sha256)
    assert sums[0] == sums[1]


def test_a_character_the_base_has_never_met(run: TrainingRun, tmp_path: Path) -> None:
    lines = [dataclasses.replace(line, speaker="Zed" if line.speaker == "Ann" else line.speaker) for line in invented_lines()]
    other = dataclasses.replace(run, table=corpus_table(lines, CONFIG.corpus), out=tmp_path)
    folder = train_persona(other, Library((run.out,)), "Zed", ("word",), "general")
    model_card = read_persona(folder).models["word"]
    _, vocabulary = read_base(run.out / "bases" / "word")
    assert model_card.speaker == vocabulary.anonymous + 1
    assert Persona(Library((tmp_path, run.out)), "zed").reply(Conversation(), CONFIG.chat, seed=1).text


def test_too_few_lines_are_refused_with_the_reason(run: TrainingRun, tmp_path: Path) -> None:
    few = dataclasses.replace(run, table=run.table[run.table["episode"] < "S01E10"])
    with pytest.raises(CorpusError, match=r"Ann has \d\d lines.*needs 100"):
        train_persona(few, Library((run.out,)), "ann", ("char",), "general")
    with pytest.raises(CorpusError, match="Did you mean Ann"):
        train_persona(run, Library((run.out,)), "Anne", ("char",), "general")
    with pytest.raises(CorpusError, match="only 0 lines to train on"):
        prepare_run(CONFIG, run.table[run.table["split"] == "test"], tmp_path, Console(quiet=True))


def test_a_new_base_leaves_nobody_behind(run: TrainingRun, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(run.out, out)
    library = Library((out,))
    train_persona(dataclasses.replace(run, out=out), library, "Ann", ("char", "word"), "general")
    names = list(Library((out,)).personas)
    with pytest.raises(BundleError, match=r"ann.* could not reply"):
        check_nobody_is_left(out, ("word",), ())
    check_nobody_is_left(out, ("word",), names)
    base = out / "bases" / "word" / "base.json"
    base.write_text(base.read_text().replace(library.base("word")[1].id, "0" * 64))
    check_nobody_is_left(out, ("word",), ())
    # What stood on a base that is gone is not kept.
    train_persona(dataclasses.replace(run, out=out), library, "Ann", ("char",), "general")
    assert set(read_persona(out / "personas" / "ann").models) == {"char"}


def test_a_name_that_no_folder_can_have_is_refused(run: TrainingRun, tmp_path: Path) -> None:
    lines = [dataclasses.replace(line, speaker="???" if line.speaker == "Ann" else line.speaker) for line in invented_lines()]
    other = dataclasses.replace(run, table=corpus_table(lines, CONFIG.corpus), out=tmp_path)
    (tmp_path / "personas" / "bob").mkdir(parents=True)
    with pytest.raises(CorpusError, match=r"'\?\?\?' of .* need printable names"):
        train_persona(other, Library((run.out,)), "???", ("word",), "general")
    assert (tmp_path / "personas" / "bob").is_dir()


def test_the_best_share_of_a_change_is_kept() -> None:
    assert best_share(lambda share: (share - 0.75) ** 2) == 0.8
    assert best_share(lambda share: -share) == 1.0
    assert best_share(lambda share: float("nan")) == 0.6
    assert best_share(lambda share: 1.0) == 0.6
