"""Which Prefect server a run reports to; that one is really started and stopped is shown in tests/ui/test_server.py."""

import os
import socket
import sys
import threading

import pytest

from flows.cli.prefect_server import server


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "prefect"
    folder.mkdir()
    monkeypatch.setenv("PREFECT_HOME", str(folder))
    return folder


@pytest.fixture
def spec(call, tmp_path):
    call("init", "minimal", tmp_path)
    return tmp_path / "plait.yaml"


@pytest.mark.usefixtures("outside")
def test_a_configured_server_that_refuses_is_said_before_anything_starts(call, spec, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    result = call("run", spec)
    assert result.code == 6
    assert result.out == ""
    assert url in result.err
    assert "PREFECT_API_URL" in result.err
    assert len(result.err.splitlines()) == 1
    assert call("list", "--json").json()["workflows"] == []


def hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


@pytest.mark.usefixtures("outside")
def test_a_server_that_answers_anything_is_left_to_prefect_to_judge():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        # It takes connections and hangs up: no refusal.
        threading.Thread(target=hang_up, args=(listener,), daemon=True).start()
        server.check_answers(f"http://127.0.0.1:{listener.getsockname()[1]}/api")


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("command", ["run", "list --store block:local-contexts/here"])
def test_a_configured_server_that_never_answers_is_said_within_seconds(call, spec, monkeypatch, command):
    monkeypatch.setattr(server, "_SILENT_SECONDS", 0.5)
    monkeypatch.delitem(sys.modules, "prefect", raising=False)  # as in a new process, whatever was tested before
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{listener.getsockname()[1]}/api")
        result = call(*command.split(), *([spec] if command == "run" else []))
    assert (result.code, result.out) == (6, "")
    assert "has said nothing for 0.5 s" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("record", ["", "no number", "999999999", str(os.getppid())])
def test_a_record_that_names_no_server_is_removed(home, record):
    (home / "server.pid").write_text(record)
    assert server.running_here() is None
    assert not (home / "server.pid").exists()


def test_without_a_server_one_line_says_how_to_keep_one(call, spec, home, monkeypatch):
    asked = []

    def launch(request):
        asked.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.cli.watched_run._start_server", lambda: None)
    monkeypatch.setattr("flows.launch.launch", launch)
    result = call("run", spec)
    assert len(asked) == 1
    (line,) = [line for line in result.err.splitlines() if "Prefect server" in line]
    assert "--ui" in line
    assert "stops it" in line
    assert "Prefect server" not in call("run", spec, "--json").err


def test_where_no_server_can_be_started_ui_says_so(call, spec, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / "home"))
    result = call("run", spec, "--ui")
    assert result.code == 6
    assert "cannot be written" in result.err
