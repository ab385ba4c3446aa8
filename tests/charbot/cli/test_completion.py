import os
import shutil
import subprocess
from pathlib import Path

import pytest

from charbot.cli import main
from charbot.personas.library import Library


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [(("cha",), "chat"), (("chat", "an"), "ann"), (("chat", "--uni"), "--unit"), (("say", "--unit", "w"), "word")],
)
def test_bash_completes(
    words: tuple[str, ...], expected: str, shared_library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash", "--bundles", str(shared_library.folders[0])]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    typed = f"COMP_WORDS=(charbot {' '.join(words)}); COMP_CWORD={len(words)}"
    code = f'source {script}; {typed}; _shtab_charbot; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert expected in done.stdout.split()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_takes_the_script_before_it_has_set_up_completion(
    shared_library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "zsh", "--bundles", str(shared_library.folders[0])]) == 0
    script = tmp_path / "completion.zsh"
    script.write_text(capsys.readouterr().out)
    assert script.read_text().startswith("#compdef charbot\n"), "as a file of its own it is found by this"
    code = f'eval "$(cat {script})"; print ${{_comps[charbot]}}'
    done = subprocess.run(
        ["zsh", "-f", "-c", code], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("_shtab_charbot\n", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_with_the_personas(
    shell: str, shared_library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell, "--bundles", str(shared_library.folders[0])]) == 0
    script = capsys.readouterr().out
    assert "ann" in script
    assert "temperature" in script
