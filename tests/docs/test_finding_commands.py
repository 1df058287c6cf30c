"""Commands are found on a page as a reader sees them, and one that fails is noticed."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.commands import script, steps


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def type_in(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    typed = script(steps(page(folder, text)))
    return subprocess.run(["bash", "-c", typed], cwd=folder, capture_output=True, text=True, check=False)


def test_fences_for_shells_hold_commands_and_others_hold_files_where_they_name_one(tmp_path: Path) -> None:
    text = (
        "```sh\none  # exit code 3\n\n# a remark\ntwo \\\n  more\n```\n```yaml a.yaml\nx: 1\n```\n"
        "1. A list:\n   ```console\n   $ three\n   what it says\n   ```\n```json\n{}\n```\n"
    )
    found = steps(page(tmp_path, text))
    assert [(one.file, one.text, one.exit_code) for one in found] == [
        ("", "one", 3),
        ("", "two \\\n  more", 0),
        ("a.yaml", "x: 1\n", 0),
        ("", "three", 0),
    ]


def test_a_command_nobody_excused_is_run(tmp_path: Path) -> None:
    (step,) = steps(page(tmp_path, "```sh\nrm -rf everything\n```\n"))
    assert step.excuse == ""


@pytest.mark.usefixtures("outside")
def test_files_are_written_and_commands_share_their_shell(tmp_path: Path) -> None:
    done = type_in(
        tmp_path, "```text a.txt\nhello\n```\n```sh\nmkdir in && cd in\nexport X=1\ncat ../a.txt && echo $X\n```\n"
    )
    assert (done.returncode, done.stdout.split()[-2:]) == (0, ["hello", "1"]), done.stderr


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    "text", ["false\necho after", "true  # exit code 3\necho after", "no-such-program\necho after"]
)
def test_a_command_that_ends_otherwise_ends_the_page(text: str, tmp_path: Path) -> None:
    done = type_in(tmp_path, f"```sh\n{text}\n```\n")
    assert done.returncode == 1
    assert "after" not in done.stdout


@pytest.mark.usefixtures("outside")
def test_an_exit_code_that_is_announced_is_right(tmp_path: Path) -> None:
    assert type_in(tmp_path, "```sh\n(exit 3)  # exit code 3\n```\n").returncode == 0


def test_a_fence_that_is_not_closed_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not closed"):
        steps(page(tmp_path, "```sh\ntrue\n"))
