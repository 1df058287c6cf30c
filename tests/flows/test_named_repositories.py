"""What git and ssh are given of the names that somebody who starts a deployed run may type.

The oracle is what really arrives: a `git` and an `ssh` before the real ones on PATH write down their arguments. Every
parameter of every deployment of prefect.yaml gets every name, by the flow's own function.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import shutil
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prefect.logging import disable_run_logger

from contexts.errors import InputError, PlaitError
from contexts.spec.repository_name import is_url, locate
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.deployments.permissions import check_allowed, read_allowed
from tests.contexts.building import context
from tests.flows.specs import git, make_repository, write_spec
from tests.servers import ROOT, Server

PROGRAM = "pass"
SCP, OTHER_SCP, URL = (
    "deploy@git.example.invalid:team/app.git",
    "git.example.invalid:app.git",
    "ssh://git.example.invalid/a",
)


class Opened(Exception):
    """A run got as far as its first task."""


@dataclass(frozen=True)
class Worker:
    """A worker's folders: the code, one allowed folder, one that is not; and what git and ssh were given."""

    code: Path
    allowed: Path
    outside: Path
    own: tuple[Path, ...]
    log: Path
    stores: list[Path]

    def calls(self) -> list[list[str]]:
        """Return and forget the program and arguments of every call."""
        lines = self.log.read_bytes().split(b"\1") if self.log.exists() else []
        self.log.write_bytes(b"")
        return [os.fsdecode(line).split("\0")[:-1] for line in lines if line]

    def may_be_used(self, where: str) -> bool:
        """Say whether a repository may be: a URL of the list, or an absolute path in the right folders."""
        return where in {SCP, URL} or (where.startswith("/") and self.is_inside(Path(where)))

    def is_inside(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(folder) for folder in (self.allowed, *self.own))


def _repositories(allowed: Path, outside: Path) -> None:
    """Lay out what leads out of the allowed folder, and what does not."""
    make_repository(outside / "private", secret="s")
    app = make_repository(allowed / "app", readme="r")
    make_repository(allowed / "git@host:x", readme="r")
    git(app, "clone", "-q", "--bare", str(outside / "private"), str(app / "vendored.git"))
    git(app, "clone", "-q", "--bare", ".", str(allowed / "bare.git"))
    git(app, "worktree", "add", "-q", str(allowed / "linked"), "-b", "linked")
    git(outside / "private", "worktree", "add", "-q", str(allowed / "linked-out"), "-b", "side")
    git(allowed, "clone", "-q", "--shared", str(outside / "private"), str(allowed / "borrowing"))
    (allowed / "link").symlink_to(outside / "private")
    (allowed / "pointer").write_text(f"gitdir: {outside / 'private' / '.git'}\n")
    shutil.copytree(allowed / "bare.git", allowed / "half.git")
    shutil.rmtree(allowed / "half.git" / "objects")
    (allowed / "half.git" / "objects").symlink_to(outside / "private" / ".git" / "objects")
    shutil.copytree(allowed / "bare.git", allowed / "common.git")
    (allowed / "common.git" / "commondir").write_text(f"{outside / 'private' / '.git'}\n")


@pytest.fixture(scope="module")
def worker(prefect_api: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Make this process one that a worker started, with every git and ssh it starts written down."""
    del prefect_api  # without one, Prefect would start a server of its own for whatever is shown
    top = tmp_path_factory.mktemp("worker").resolve()
    code, allowed, outside, programs = (top / name for name in ("code", "allowed", "outside", "programs"))
    for folder in (code, allowed, outside, programs):
        folder.mkdir()
    _repositories(allowed, outside)
    found = str(shutil.which("git"))
    note = f"{{ printf '%s\\0' \"${{0##*/}}\" \"$@\"; printf '\\1'; }} >>'{top / 'log'}'\n"
    for name, then in (("git", f'exec {found} "$@"'), ("ssh", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{note}{then}\n")
        (programs / name).chmod(0o755)
    more: Any = {"repository": {"path": "app"}}
    spec = write_spec(allowed, "w", {"t": PROGRAM}, **more)
    write_spec(outside, "w", {"t": PROGRAM}, **more)
    store = ContextStore(LocalObjects(top / "store"))
    blob = store.put_blob("w", Path(spec).read_bytes(), "application/json")
    store.save(context(spec=blob.model_dump()), workflow_id="w", name="context", after=0)
    made = Worker(code, allowed, outside, (top / "workspaces", top / "store"), top / "log", [])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(code)
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        patch.setenv("PLAIT_STORE", str(top / "store"))
        patch.setenv("PLAIT_WORKSPACES", str(top / "workspaces"))
        patch.setenv("PLAIT_ALLOWED_SPECS", str(allowed))
        patch.setenv("PLAIT_ALLOWED_REPOSITORIES", f"{SCP} {URL}")
        patch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "a-deployment")
        _end_after_opening(patch, made)
        with disable_run_logger():
            yield made


def _end_after_opening(patch: pytest.MonkeyPatch, worker: Worker) -> None:
    """Let a flow open everything it opens, deliver a branch where it has one, and end before its first task."""

    def opened(run: Any, *_: Any) -> None:
        objects = run.store.objects
        while hasattr(objects, "_inner"):
            objects = objects._inner
        worker.stores.append(objects.root)
        run.repository.deliver("plait/x", run.base, previous=None)
        raise Opened

    @contextlib.contextmanager
    def entered(stop: Any, *_: Any) -> Iterator[None]:
        opened(stop.__self__)
        yield

    def looked(objects: Any, *_: Any, **__: Any) -> None:
        worker.stores.append(objects.root)
        raise Opened

    patch.setattr("prefect.artifacts.create_table_artifact", lambda **_: None)  # for want of a flow run
    patch.setattr("flows.phases.opened.watch_cancellation", entered)
    patch.setattr("flows.upkeep.reverify.run_checks", lambda _, run, *__: opened(run))
    patch.setattr("flows.phases.opened.scheduled_start", lambda: datetime.now(UTC))  # there is no server to ask
    patch.setattr("flows.phases.opened.reason_of", lambda _: "finished")  # another flow is to open the same workflow
    patch.setattr("flows.feature.skipped_if_late", lambda _: None)
    patch.setattr("flows.upkeep.resume_interrupted.interrupted", looked)
    patch.setattr("flows.upkeep.retention.holdings", looked)


def _deployments() -> list[tuple[str, str]]:
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    return sorted({(one["entrypoint"], name) for one in listed for name in _texts(one["entrypoint"])})


def _flow(entrypoint: str) -> Any:
    module, _, name = entrypoint.rpartition(".")
    return getattr(importlib.import_module(module), name).fn


def _texts(entrypoint: str) -> Iterator[str]:
    """Yield the parameters that can hold a text; no other kind can name anything."""
    hints = typing.get_type_hints(_flow(entrypoint), include_extras=False)
    for name in inspect.signature(_flow(entrypoint)).parameters:
        if _kinds(hints[name]) - {bool, int, float, type(None)}:
            yield name


def _kinds(hint: Any) -> set[Any]:
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    if get_origin(hint) in {typing.Union, types.UnionType}:
        return set().union(*(_kinds(each) for each in get_args(hint)))
    return {get_origin(hint) or hint}


def _value(entrypoint: str, parameter: str, name: str) -> Any:
    kinds = _kinds(typing.get_type_hints(_flow(entrypoint))[parameter])
    if list in kinds:
        return [name]
    return {"workflow_id": "w", "repository": {"path": name}} if dict in kinds else name


PIECES = (
    "git@host.example.invalid:", "a@127.0.0.1:", "host:", "[::1]:", "c:", "c:\\", ":", "::", "ext::sh -c touch% x", "EXT::",
    "fd::3", "foo::", "file://", "FILE://", "file:", "ssh://", "ssh://-oProxyCommand=x/", "git+ssh://", "https://", "HTTPS://",
    "http://user:word@127.0.0.1:9/", "git://127.0.0.1:9/", "rsync:", "block:local-contexts/x", "s3://bucket/", "~", "~root",
    "~nobody-at-all/", "-", "--upload-pack=touch x ", "-oProxyCommand=x ", "..", "../", "./", "/", "//", "x/", " ", "\t", "\n",
    "\0", "\x1b[31m", "\x85", "\u202e", "\ud800", "é", "%2e%2e/", "?x=", "#x", "ALLOWED", "OUTSIDE", "../allowed/", "../outside/",
    "app", "/app", "app.git", "git@host:x", "link", "/link", "pointer", "linked", "linked-out", "borrowing", "bare.git", "half.git",
    "common.git", "/vendored.git", "private", "w.json", "/w.json", "/.git", "w", "HEAD", "main~1", "store", SCP, URL, OTHER_SCP,
)  # fmt: skip
NAMES = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.tuples(st.sampled_from(("ALLOWED/", "../allowed/")), st.sampled_from(PIECES)).map("".join),
    st.text(max_size=30),
)


@pytest.mark.parametrize(("entrypoint", "parameter"), _deployments())
@given(NAMES)
@example("git@host.example.invalid:team/app.git")
@example("a@127.0.0.1:x")
@example("host:app.git")
@example("git@host.example.invalid:x/../../allowed/app")
@example("git@host:x/../../allowed/app.git")
@example("git@host:x")
@example("[::1]:x")
@example("ext::sh -c touch% canary")
@example("file://OUTSIDE/private")
@example("file:ALLOWED?/../../../outside")
@example("file:ALLOWED#/../../../outside")
@example("ALLOWED/app")
@example("../allowed/app")
@example("ALLOWED/git@host:x")
@example("ALLOWED/bare.git")
@example("ALLOWED/linked")
@example("ALLOWED/linked-out")
@example("ALLOWED/link")
@example("ALLOWED/pointer")
@example("ALLOWED/borrowing")
@example("ALLOWED/half.git")
@example("ALLOWED/common.git")
@example("ALLOWED/app/vendored.git")
@example("ALLOWED/w.json")
@example("~nobody-at-all/x")
@example("ALLOWED/" + "x" * 5000)
@example(SCP)
@example(URL)
@settings(max_examples=20, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_git_and_ssh_are_given_only_what_the_worker_allows(
    worker: Worker, entrypoint: str, parameter: str, drawn: str
) -> None:
    name = drawn.replace("ALLOWED", str(worker.allowed)).replace("OUTSIDE", str(worker.outside))
    flow = entrypoint.rpartition(".")[2]
    needed: dict[str, Any] = {
        "reverify": {"workflows": ["w"]},
        "feature": {"spec": str(worker.allowed / "w.json")},
    }.get(flow, {})
    if parameter in {"workflow_id", "inline"}:
        needed = {}
    worker.calls()
    worker.stores.clear()
    refused = _start(_flow(entrypoint), {**needed, parameter: _value(entrypoint, parameter, name)})
    calls = worker.calls()
    for program, *arguments in calls:
        if program == "ssh":
            assert name in {SCP, URL}, arguments
            continue
        assert all(worker.may_be_used(where) for where in _given(arguments)), arguments
    for root in worker.stores:
        assert worker.is_inside(root), root
    if parameter == "repository" and not worker.stores:
        # A folder that may be used and is no repository is told by git.
        there = "is not a git repository" in refused and worker.is_inside(worker.code / Path(name).expanduser())
        assert name in {SCP, URL} or "PLAIT_ALLOWED_REPOSITORIES" in refused or there
        assert there or not any(name in arguments for _, *arguments in calls if name not in {SCP, URL, ""})
    if parameter == "inline":
        assert "PLAIT_ALLOW_INLINE=1" in refused
        assert not calls


def _start(flow: Any, parameters: dict[str, Any]) -> str:
    """Run a flow's own function; return the sentence it ended with, empty if it opened what it was given."""
    try:
        state = flow(**parameters)
    except Opened:
        return ""
    except PlaitError as error:
        return error.message
    return str(getattr(state, "message", state))


def _given(arguments: list[str]) -> Iterator[str]:
    """Yield what a git command line names as a git folder, work tree or repository."""
    for argument in arguments:
        for option in ("--git-dir=", "--work-tree="):
            if argument.startswith(option):
                yield argument.removeprefix(option)
    commands = ("fetch", "ls-remote", "push", "clone")
    at = next((place for place, argument in enumerate(arguments) if argument in commands), None)
    if at is not None:
        yield next(argument for argument in arguments[at + 1 :] if not argument.startswith("-"))


@given(NAMES)
@settings(max_examples=200, deadline=None, database=None)
def test_a_name_that_was_located_stands_for_the_same_everywhere(name: str) -> None:
    try:
        where = locate(name, Path("/srv/code"))
    except InputError:
        return
    assert locate(where, Path("/elsewhere")) == where
    assert is_url(where) == is_url(name)
    assert where.startswith("/") != is_url(where)


@pytest.mark.parametrize("setting", ["", "ALLOWED"])
@pytest.mark.parametrize(
    "name", ["git@host.example:team/app.git", "a@127.0.0.1:x", "host.example:app.git", "x:y/../app"]
)
def test_a_repository_over_ssh_is_no_path_below_the_folder(worker: Worker, name: str, setting: str) -> None:
    environment = {"PLAIT_ALLOWED_SPECS": setting.replace("ALLOWED", str(worker.allowed))}
    request = RunRequest(workflow_id="w", repository=name)
    with pytest.raises(InputError, match="PLAIT_ALLOWED_REPOSITORIES"):
        check_allowed(request, read_allowed(environment, worker.code), worker.code)
    environment["PLAIT_ALLOWED_REPOSITORIES"] = name
    assert check_allowed(request, read_allowed(environment, worker.code), worker.code).repository == name


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("app", True), ("bare.git", True), ("linked", True), ("git@host:x", True), ("linked-out", False), ("link", False),
        ("pointer", False), ("borrowing", False), ("half.git", False), ("common.git", False), ("app/vendored.git", False),
        ("app/.git", True), ("nowhere", False), ("w.json", False),
    ],
)  # fmt: skip
def test_a_repository_lies_in_the_allowed_folders_with_all_it_reads(worker: Worker, name: str, *, stays: bool) -> None:
    allowed = read_allowed({"PLAIT_ALLOWED_SPECS": str(worker.allowed)}, worker.code)
    request = RunRequest(workflow_id="w", repository=f"../allowed/{name}")
    if stays:
        assert check_allowed(request, allowed, worker.code).repository == str(worker.allowed / name)
    else:
        with pytest.raises(InputError, match="PLAIT_ALLOWED_REPOSITORIES"):
            check_allowed(request, allowed, worker.code)


def test_what_was_looked_at_is_what_the_run_goes_on_with(worker: Worker) -> None:
    (worker.allowed / "moving").symlink_to(worker.allowed / "app")
    environment = {"PLAIT_ALLOWED_SPECS": str(worker.allowed)}
    request = RunRequest(
        spec="../allowed/w.json", replay="../allowed/app", store="../allowed/x/../store", repository="../allowed/moving"
    )
    found = check_allowed(request, read_allowed(environment, worker.code), worker.code)
    (worker.allowed / "moving").unlink()
    (worker.allowed / "moving").symlink_to(worker.outside / "private")
    expected = [str(worker.allowed / name) for name in ("w.json", "app", "store", "app")]
    assert [found.spec, found.replay, found.store, found.repository] == expected
    assert check_allowed(found, read_allowed(environment, worker.code), worker.code) == found
