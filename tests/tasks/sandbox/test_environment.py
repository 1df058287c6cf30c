"""An agent's environment holds what it needs and nothing of plait's."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tasks.sandbox.environment import agent_environment


def test_tokens_and_settings_of_plait_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "PREFECT_API_URL",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "SSH_AUTH_SOCK",
        "GIT_DIR",
        "PYTHONPATH",
        "LD_PRELOAD",
    ):
        monkeypatch.setenv(name, "leak")
    assert "leak" not in agent_environment(tmp_path / "home").values()


def test_named_variables_pass_and_extra_ones_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "k")
    monkeypatch.delenv("UNSET", raising=False)
    made = agent_environment(
        tmp_path / "home", passed=["API_KEY", "UNSET"], extra={"TERM": "xterm", "PLAIT_PORTS": "1"}
    )
    assert made["API_KEY"] == "k"
    assert "UNSET" not in made
    assert (made["TERM"], made["PLAIT_PORTS"]) == ("xterm", "1")


def test_language_time_and_certificates_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"LANG": "C.UTF-8", "LC_NUMERIC": "C", "TZ": "UTC", "SSL_CERT_FILE": "/c", "PATH": "/bin"}
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    assert wanted.items() <= agent_environment(tmp_path / "home").items()


def test_a_proxy_passes_only_without_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:password@proxy:1")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    made = agent_environment(tmp_path / "home")
    assert "HTTPS_PROXY" not in made
    assert made["HTTP_PROXY"] == "http://proxy:1"


def test_folders_are_the_agents_own_and_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = agent_environment(home)
    for name in (
        "HOME",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_RUNTIME_DIR",
    ):
        folder = Path(made[name])
        assert folder.is_relative_to(home)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
