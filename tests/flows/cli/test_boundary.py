import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contexts.errors import (
    DocumentError,
    LeaseHeld,
    NotFound,
    PlaitError,
    RevisionConflict,
    ServerUnreachable,
    StoreUnreachable,
    TrackFailed,
)
from flows.cli import app, main

PLAIT = Path(sys.executable).parent / "plait"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PlaitError("a"), 1),
        (DocumentError("a"), 2),
        (NotFound("a"), 2),
        (LeaseHeld("a"), 2),
        (RevisionConflict("a"), 3),
        (TrackFailed("a"), 3),
        (StoreUnreachable("a"), 6),
        (ServerUnreachable("a"), 6),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a"), 1),
        (BrokenPipeError(), 141),
    ],
)
def test_every_error_is_one_sentence_and_an_exit_code(monkeypatch, capfd, error, code):
    def fail(_: list[str]) -> int:
        raise error

    monkeypatch.setattr(app, "dispatch", fail)
    monkeypatch.setattr("flows.cli.boundary.give_up", lambda _: None)
    assert main(["list"]) == code
    captured = capfd.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == (0 if code == 141 else 1)
    assert "Traceback" not in captured.err


def test_a_defect_is_called_one_and_debug_shows_the_traceback(monkeypatch, capfd):
    def fail(_: list[str]) -> int:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(app, "dispatch", fail)
    assert main(["list"]) == 1
    said = capfd.readouterr().err
    assert "defect in plait" in said
    assert "--debug" in said
    assert main(["list", "--debug"]) == 1
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lst",), "list"),
        (("show",), "WORKFLOW_ID"),
        (("show", "a", "--revison", "1"), "--revision"),
        (("show", "a", "--revision", "x"), "int"),
        (("show", "a", "b", "c"), "c"),
        (("schema", "nothing"), "nothing"),
        (("merge", "a.json"), "TRACKS"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_wrong_usage_is_bad_input_on_stderr(call, arguments, said):
    result = call(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_global_options_stand_anywhere(call, tmp_path):
    place = tmp_path / "there"
    for arguments in (("--json", "--store", place, "list"), ("list", f"--store={place}", "--json")):
        assert call(*arguments).json() == {"store": place.as_uri(), "workflows": []}


@pytest.mark.parametrize("url", ["ftp://a/b", "file://a/b?c"])
def test_a_store_of_no_known_kind_is_bad_input(call, url):
    result = call("list", "--store", url)
    assert result.code == 2
    assert result.out == ""


@pytest.mark.parametrize("command", [(), ("run",), ("store",), ("store", "check"), ("show",)])
def test_help_says_what_there_is(call, command):
    result = call(*command, "--help")
    assert result.code == 0
    assert "Usage: plait" in result.out
    assert "--store" in result.out
    assert "130" in result.out


def test_version_is_the_distributions(call):
    from importlib.metadata import version  # noqa: PLC0415 used here only

    assert call("--version").out.strip() == version("plait")


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("command", ["show shop", "list", "--help"])
def test_a_reader_that_goes_away_is_no_error(shop, command):
    process = subprocess.Popen(
        [PLAIT, *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()
    assert said == b""
    assert process.returncode == 141


@pytest.mark.usefixtures("outside")
def test_a_signal_while_a_command_works_ends_it_quietly(tmp_path):
    os.mkfifo(tmp_path / "never.json")
    process = subprocess.Popen(
        [PLAIT, "merge", tmp_path / "never.json", tmp_path / "never.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 nothing else runs
    )
    # Opening the pipe for writing returns when the command has opened it for reading: from then on it waits.
    with (tmp_path / "never.json").open("wb"):
        process.send_signal(signal.SIGINT)
        out, said = process.communicate()
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in said
    assert said.count(b"\n") == 1


@pytest.mark.usefixtures("outside")
def test_a_closed_output_is_an_output_nobody_wants(shop):
    done = subprocess.run(["sh", "-c", f"{PLAIT} show shop >&-"], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    silent = subprocess.run(["sh", "-c", f"{PLAIT} show shop <&- >&- 2>&-"], check=False)
    assert silent.returncode == 0


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("command", ["show shop", "list --json", "--help"])
def test_an_output_that_cannot_be_written_is_said_as_such(shop, command):
    done = subprocess.run(
        ["sh", "-c", f"{PLAIT} {command} > /dev/full"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "plait: the output cannot be written: No space left on device; what was saved is kept\n"


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("command", "code"), [("show nobody", 2), ("--nonsense", 2)])
def test_an_error_that_cannot_be_said_keeps_its_exit_code(shop, command, code):
    for silenced in ("2>/dev/full", "2>&1 | true; exit ${PIPESTATUS[0]}"):
        done = subprocess.run(
            ["bash", "-c", f"{PLAIT} {command} {silenced}"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    "command",
    ["run ../plait.yaml", "run {0}/plait.yaml --store s", "plan ../plait.yaml", "init", "import .", "merge a b"],
)
def test_a_current_folder_that_is_gone_is_one_sentence(call, tmp_path, command):
    call("init", "minimal", tmp_path)
    (tmp_path / "gone").mkdir()
    shell = f"cd {tmp_path}/gone && rmdir ../gone && {PLAIT} {command.format(tmp_path)}"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "defect" not in done.stderr
