"""`plait doctor`: is everything here that a run needs?"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.request import Request, urlopen

from flows.cli.session import Given

STORE_FAILS = 6
_OLDEST_GIT = (2, 38)
"""`git merge-tree --write-tree`, which integrates branches, came with 2.38."""
_SERVER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question.

    Attributes:
        advice: What to do; empty where all is well.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    advice: str = ""


def doctor(spec: Path | None = None, /, *, session: Given) -> int:
    """Check Python, git, the store, the Prefect server and, with a spec, its agents' programs.

    Args:
        spec: A spec whose agents are to be checked too.
    """
    answers = [_python(), _git(), _supervision(), *_agents(spec)]
    store = list(_store(session))
    answers += [*store, _server()]
    if session.as_json:
        session.emit({"answers": [asdict(answer) for answer in answers]})
    else:
        from flows.cli.terminal.tables import print_table

        print_table(
            session.out(),
            ("what", "status", "found"),
            [
                (answer.name, answer.status, f"{answer.detail}; {answer.advice}" if answer.advice else answer.detail)
                for answer in answers
            ],
            fold=("found",),
        )
    if any(answer.status == "fail" for answer in store):
        return STORE_FAILS
    return 2 if any(answer.status == "fail" for answer in answers) else 0


def _python() -> Answer:
    version = ".".join(map(str, sys.version_info[:3]))
    return Answer("python", "ok", f"{version} at {sys.executable}")


def _git() -> Answer:
    program = shutil.which("git")
    advice = f"install git {_OLDEST_GIT[0]}.{_OLDEST_GIT[1]} or newer"
    if program is None:
        return Answer("git", "fail", "there is none on PATH", advice)
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Answer("git", "fail", f"{program} does not run ({error})", advice)
    words = said.split()
    number = words[2] if len(words) > 2 else ""
    parts = tuple(int(part) for part in number.split(".")[:2] if part.isdecimal())
    if parts < _OLDEST_GIT:
        return Answer("git", "fail", f"{number or said.strip()} at {program}", advice)
    return Answer("git", "ok", f"{number} at {program}")


def _supervision() -> Answer:
    if sys.platform == "linux":
        return Answer("supervisor", "ok", "agents' stray processes are collected (child subreaper)")
    return Answer(
        "supervisor",
        "warn",
        f"{sys.platform} has no child subreaper",
        "a process that detaches itself from an agent may outlive it here",
    )


def _agents(spec: Path | None) -> Iterator[Answer]:
    if spec is None:
        return
    from contexts.errors import InputError
    from contexts.spec.load import check_agents, load_spec
    from contexts.text.plural import counted

    try:
        loaded = load_spec(spec)
    except InputError as error:
        yield Answer("spec", "fail", error.message)
        return
    yield Answer("spec", "ok", f"{loaded.spec.workflow_id}: {counted(len(loaded.spec.parallel_tasks), 'track')}")
    try:
        check_agents(loaded.spec, folder=loaded.folder)
    except InputError as error:
        yield Answer("agents", "fail", error.message)
        return
    yield Answer("agents", "ok", f"{len(loaded.spec.agents)} declared, their programs are there")


def _store(session: Given) -> Iterator[Answer]:
    from contexts.errors import PlaitError
    from contexts.store.probe import diagnose
    from contexts.store.url import ENVIRONMENT_VARIABLE

    try:
        objects = session.contexts().objects
    except PlaitError as error:
        yield Answer("store", "fail", error.message, f"name another with --store or {ENVIRONMENT_VARIABLE}")
        return
    yield Answer("store", "ok", objects.identity)
    for one in diagnose(objects):
        status: Literal["ok", "warn", "fail"] = "ok" if one.ok else "warn" if one.name == "clock" else "fail"
        yield Answer(f"store: {one.name}", status, one.detail)


def _server() -> Answer:
    from flows.cli.prefect_server.server import configured, running_here

    url = configured()
    if not url:
        here = running_here()
        if here:
            return Answer("server", "ok", f"{here} runs in the background; `prefect server stop` ends it")
        return Answer("server", "ok", "none: every run starts its own and stops it; `plait run --ui` keeps one running")
    if not url.startswith(("http://", "https://")):
        return Answer("server", "fail", f"PREFECT_API_URL {url!r} is no http URL", "set it to http://HOST:4200/api")
    try:
        with urlopen(Request(f"{url.rstrip('/')}/health"), timeout=_SERVER_SECONDS):  # noqa: S310 the scheme is checked
            return Answer("server", "ok", f"{url} answers")
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return Answer(
            "server", "warn", f"{url} does not answer ({reason})", "start it with `prefect server start`, or unset it"
        )
