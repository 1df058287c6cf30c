"""Build an agent's environment from an allow-list, so that plait's own tokens and settings do not leak into it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from types import MappingProxyType

from tasks.filesystem import remove_folder

_NOTHING: Mapping[str, str] = MappingProxyType({})

ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        "PATH": "programs are found",
        "LANG": "language of messages and the text encoding",
        "LANGUAGE": "language of messages",
        "TZ": "local time",
        "USER": "programs that ask for a name instead of a number",
        "LOGNAME": "the same, by POSIX",
        "SSL_CERT_FILE": "certificates of this machine",
        "SSL_CERT_DIR": "certificates of this machine",
        "REQUESTS_CA_BUNDLE": "the same for Python's requests",
        "CURL_CA_BUNDLE": "the same for curl",
        "NODE_EXTRA_CA_CERTS": "the same for node",
        "NO_PROXY": "hosts reached without the proxy",
        "no_proxy": "the same, lower case",
    }
)
"""Variables passed on as they are, and what for; every LC_* goes too."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
"""Passed on only where the address holds no user and password."""

FIXED: Mapping[str, str] = MappingProxyType(
    {
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",  # lines reach the log when they are written
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "true",
        "GIT_AUTHOR_NAME": "plait agent",
        "GIT_AUTHOR_EMAIL": "agent@plait.invalid",
        "GIT_COMMITTER_NAME": "plait agent",
        "GIT_COMMITTER_EMAIL": "agent@plait.invalid",
    }
)
"""The same for every agent: nothing asks, nothing pages, git has a neutral identity."""

FOLDERS: Mapping[str, str] = MappingProxyType(
    {
        "HOME": ".",
        "TMPDIR": "tmp",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
        "XDG_RUNTIME_DIR": "run",
    }
)
"""Folders of the agent's own, below its home."""
_PARENTS_FIRST = sorted({part for path in map(PurePath, FOLDERS.values()) for part in (*path.parents, path)})


def agent_environment(home: Path, *, passed: Sequence[str] = (), extra: Mapping[str, str] = _NOTHING) -> dict[str, str]:
    """Return an agent's whole environment and create the folders it names, readable by this user only.

    A wall against leaks by accident, not a sandbox: a program of the same user can still read what that user can.

    Args:
        home: The agent's own home; created with its sub-folders (0700).
        passed: Names of plait's variables to hand on, as the spec declares them; unset ones are left out.
        extra: Variables to set; they win over everything else.
    """
    environment = {
        name: value for name, value in os.environ.items() if value and (name in ALLOWED or name.startswith("LC_"))
    }
    environment |= {name: os.environ[name] for name in PROXIES if "@" not in os.environ.get(name, "@")}
    environment.setdefault("PATH", os.defpath)
    environment |= FIXED
    home = home.absolute()
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for relative in _PARENTS_FIRST:
        _own_folder(home / relative)
    environment |= {name: str(home / relative) for name, relative in FOLDERS.items()}
    environment |= {name: os.environ[name] for name in passed if name in os.environ}
    return environment | dict(extra)


def _own_folder(folder: Path) -> None:
    """Make a folder of an agent's home; whatever an earlier attempt put in its place is removed, no link followed."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if stat.S_ISDIR(folder.lstat().st_mode):
            folder.chmod(0o700)
        else:
            remove_folder(folder)
            folder.mkdir(mode=0o700)


def split_environment(env: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the names to pass through and the values to set; ``KEY: env:NAME`` takes NAME from plait's own."""
    passed: list[str] = []
    extra: dict[str, str] = {}
    for key, value in env.items():
        name = value.removeprefix("env:")
        if name == value:
            extra[key] = value
        elif name == key:
            passed.append(key)
        elif name in os.environ:
            extra[key] = os.environ[name]
    return passed, extra
