"""A hostile track is contained: nothing it plants runs, leads out, or outlives it, and the user's repository stays as it was."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contexts.errors import RepositoryError
from tasks.git.repository import Repository
from tasks.git.trusted_git import TrustedGit
from tasks.sandbox.supervisor import run_supervised

Git = Callable[..., str]


class Canary:
    """A program that leaves a file when it runs, and the proof that it can."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "canary-sang"
        self.program = folder / "canary.sh"
        self.program.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.file}\ncat\n')
        self.program.chmod(0o755)

    def sang(self) -> bool:
        return self.file.exists()

    def proves_itself(self) -> None:
        """Show that the trap does snap for a git that trusts the place, so that silence means something."""
        assert self.sang()
        self.file.unlink()


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    return Canary(tmp_path)


def _plant_everything(git_dir: Path, canary: Canary) -> None:
    """Write hooks and a configuration that starts the canary in every way git knows."""
    hooks = git_dir / "hooks"
    hooks.mkdir(parents=True, exist_ok=True)
    for name in (
        "applypatch-msg", "post-applypatch", "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout",
        "post-merge", "pre-push", "pre-receive", "update", "post-update", "reference-transaction", "pre-auto-gc", "post-index-change",
        "fsmonitor-watchman", "post-rewrite", "sendemail-validate",
    ):  # fmt: skip
        (hooks / name).write_bytes(canary.program.read_bytes())
        (hooks / name).chmod(0o755)
    with (git_dir / "config").open("a") as config:
        config.write(f"""
[core]
    fsmonitor = {canary.program}
    hooksPath = {hooks}
    sshCommand = {canary.program}
    pager = {canary.program}
    editor = {canary.program}
    gitProxy = {canary.program}
    alternateRefsCommand = {canary.program}
[filter "evil"]
    clean = {canary.program}
    smudge = {canary.program}
    process = {canary.program}
    required = true
[diff]
    external = {canary.program}
[diff "evil"]
    textconv = {canary.program}
    command = {canary.program}
[merge "evil"]
    driver = {canary.program} %A
[gpg]
    program = {canary.program}
[commit]
    gpgSign = true
[credential]
    helper = !{canary.program}
[uploadpack]
    packObjectsHook = {canary.program}
[alias]
    read-tree = !{canary.program}
    update-index = !{canary.program}
""")


def _plant_attributes(work: Path) -> None:
    (work / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")


def _whole_road(repository: Repository, base: str, when: datetime, tmp_path: Path) -> None:
    """Do with a track's workspace all that plait ever does."""
    work = repository.root / "tracks" / "t" / "work"
    snapshot = repository.snapshot(
        "t", work, base, "m", when, inspect=lambda staged: list(staged.added_lines()) and None
    )
    other = repository.create_workspace("other", base)
    (other / "src" / "app.py").write_text("other\n")
    other_snapshot = repository.snapshot("other", other, base, "m", when)
    done = repository.integrate(base, [("t", snapshot.commit), ("other", other_snapshot.commit)], when)
    repository.checkout(done.commit, tmp_path / "checkout", as_repository=True)
    repository.unbundle(repository.bundle(base, done.commit))
    list(repository.diff_text(base, done.commit))
    repository.workspaces()
    repository.dirty(["**"])
    repository.deliver("plait/x", done.commit, previous=None)
    Repository.prepare(repository.root, repository.user.url)
    repository.create_workspace("t", base)
    repository.remove_workspace("t", keep_uncommitted=False)


def _fails(folder: Path, *args: str) -> None:
    subprocess.run(
        ["git", *args],
        cwd=folder,
        check=False,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
    )


def test_hooks_monitors_and_filters_planted_in_the_workspaces_git_never_run(
    repository: Repository, base: str, when: datetime, tmp_path: Path, canary: Canary
) -> None:
    work = repository.create_workspace("t", base)
    _plant_everything(work / ".git", canary)
    _plant_attributes(work)
    (work / "src" / "app.py").write_text("mine\n")
    _fails(work, "status")
    canary.proves_itself()
    _whole_road(repository, base, when, tmp_path)
    assert not canary.sang()


def test_what_one_track_plants_does_not_reach_another_tracks_git(
    repository: Repository, base: str, git: Git, canary: Canary
) -> None:
    work = repository.create_workspace("t", base)
    other = repository.create_workspace("other", base)
    _plant_everything(work / ".git", canary)
    git(other, "status")
    (other / "x").write_text("x")
    git(other, "add", "x")
    git(other, "commit", "-qm", "x")
    assert not canary.sang()


@pytest.mark.parametrize("how", ["file", "folder", "link", "gone", "worktree"])
def test_a_git_that_was_replaced_is_never_read(
    repository: Repository, base: str, when: datetime, tmp_path: Path, canary: Canary, git: Git, how: str
) -> None:
    work = repository.create_workspace("t", base)
    (work / "src" / "app.py").write_text("mine\n")
    evil = tmp_path / "evil"
    evil.mkdir()
    git(evil, "init", "-q", "-b", "main")
    _plant_everything(evil / ".git", canary)
    subprocess.run(["rm", "-rf", str(work / ".git")], check=True)
    if how == "file":
        (work / ".git").write_text(f"gitdir: {evil}/.git\n")
    elif how == "folder":
        (evil / ".git").rename(work / ".git")
    elif how == "link":
        (work / ".git").symlink_to(evil / ".git")
    elif how == "worktree":
        (work / ".git").write_text(f"gitdir: {repository.git.git_dir}\n")
    _whole_road(repository, base, when, tmp_path)
    assert not canary.sang()
    assert repository.changed_paths(base, "refs/plait/tracks/t") == ("src/app.py",)


def test_a_planted_configuration_in_the_orchestrators_git_is_refused(
    repository: Repository, base: str, when: datetime, canary: Canary
) -> None:
    work = repository.create_workspace("t", base)
    _plant_attributes(work)
    _plant_everything(repository.git.git_dir, canary)
    with pytest.raises(RepositoryError, match="written by something other than plait"):
        repository.snapshot("t", work, base, "m", when)
    assert not canary.sang()


@pytest.mark.parametrize("name", ["commondir", "config.worktree", "objects/info/alternates"])
def test_a_git_dir_led_elsewhere_is_refused(repository: Repository, name: str) -> None:
    (repository.git.git_dir / "objects" / "info").mkdir(exist_ok=True)
    (repository.git.git_dir / name).write_text("/tmp\n")
    with pytest.raises(RepositoryError, match="written by something other than plait"):
        repository.git.run("rev-parse", "--git-dir")


def test_planted_hooks_alone_in_the_orchestrators_git_never_run(
    repository: Repository, base: str, when: datetime, tmp_path: Path, canary: Canary
) -> None:
    work = repository.create_workspace("t", base)
    (work / "new").write_text("x\n")
    config = (repository.git.git_dir / "config").read_bytes()
    _plant_everything(repository.git.git_dir, canary)
    (repository.git.git_dir / "config").write_bytes(config)
    _whole_road(repository, base, when, tmp_path)
    assert not canary.sang()


def test_links_out_of_the_tree_are_left_out_and_named(
    repository: Repository, base: str, when: datetime, tmp_path: Path
) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("private key\n")
    work = repository.create_workspace("t", base)
    (work / "absolute").symlink_to(tmp_path / "private" / "key")
    (work / "up").symlink_to("../../../../private/key")
    (work / "through").symlink_to("src/../../x")
    (work / "inside").symlink_to("src/app.py")
    subprocess.run(["rm", "-r", str(work / "src")], check=True)
    (work / "src").symlink_to(tmp_path / "private")
    (work / "README.md").unlink()
    (work / "README.md").symlink_to(tmp_path / "private" / "key")
    snapshot = repository.snapshot("t", work, base, "m", when)
    assert [refused.path for refused in snapshot.refused] == ["README.md", "absolute", "src", "through", "up"]
    assert snapshot.files == ("inside", "src/app.py")
    out = repository.checkout(snapshot.commit, tmp_path / "out")
    assert not any("private" in os.path.realpath(path) for path in out.rglob("*"))
    assert (out / "README.md").read_text() == "read me\n"


@pytest.mark.parametrize("level", ["work", "track"])
def test_a_workspace_replaced_by_a_link_is_not_taken_over(
    repository: Repository, base: str, when: datetime, tmp_path: Path, level: str
) -> None:
    (tmp_path / "private" / "work").mkdir(parents=True)
    (tmp_path / "private" / "work" / "key").write_text("private\n")
    work = repository.create_workspace("t", base)
    moved, target = (work, "private/work") if level == "work" else (work.parent, "private")
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / target)
    with pytest.raises(RepositoryError, match="replaced by a link"):
        repository.snapshot("t", work, base, "m", when)
    if level == "track":
        with pytest.raises(RepositoryError, match="replaced by a link"):
            repository.create_workspace("t", base)
    assert (tmp_path / "private" / "work" / "key").exists()


def test_what_is_planted_among_the_tracks_does_not_break_their_listing(repository: Repository, base: str) -> None:
    work = repository.create_workspace("t", base)
    tracks = work.parent.parent
    (tracks / "Not An Id").mkdir()
    (tracks / "file").write_text("x")
    (tracks / "link").symlink_to("/")
    assert [workspace.task_id for workspace in repository.workspaces()] == ["t"]


def test_the_users_own_link_stays_as_it_is(tmp_path: Path, user: Path, git: Git, when: datetime) -> None:
    (user / "etc").symlink_to("/etc")
    git(user, "add", "etc")
    git(user, "commit", "-qm", "link")
    repository = Repository.prepare(tmp_path / "w", str(user))
    base = repository.pin("main")
    work = repository.create_workspace("t", base)
    assert repository.snapshot("t", work, base, "m", when).refused == ()
    (work / "etc").unlink()
    (work / "etc").symlink_to("/root")
    changed = repository.snapshot("t", work, base, "m", when)
    assert (changed.files, [refused.path for refused in changed.refused]) == ((), ["etc"])


def test_nested_repositories_large_files_and_odd_names_are_left_out(
    repository: Repository, base: str, when: datetime, git: Git, canary: Canary
) -> None:
    work = repository.create_workspace("t", base)
    nested = work / "nested"
    nested.mkdir()
    git(nested, "init", "-q")
    (nested / "x").write_text("x\n")
    git(nested, "add", "x")
    git(nested, "commit", "-qm", "x")
    _plant_everything(nested / ".git", canary)
    with (work / "large").open("wb") as file:
        file.truncate(50_000_001)
    (work / "bell\x07").write_text("x\n")
    (work / "two\nlines").write_text("x\n")
    (work / "git~1").write_text("x\n")
    (work / ".gitmodules").symlink_to("README.md")
    (work / "good").write_text("x\n")
    snapshot = repository.snapshot("t", work, base, "m", when)
    assert [refused.path for refused in snapshot.refused] == [
        ".gitmodules",
        "bell%07",
        "git~1",
        "large",
        "nested",
        "two%0Alines",
    ]
    assert snapshot.files == ("good",)
    assert not canary.sang()


def test_the_users_own_odd_names_may_be_changed_and_are_written_so_that_documents_can_hold_them(
    tmp_path: Path, user: Path, git: Git, when: datetime
) -> None:
    for name in (b"caf\xe9", b"back\\slash", b"gone\xff"):
        (user / os.fsdecode(name)).write_text("x\n")
    git(user, "add", "--all")
    git(user, "commit", "-qm", "odd names")
    repository = Repository.prepare(tmp_path / "w", str(user))
    base = repository.pin("main")
    commits = []
    for task_id in ("one", "two"):
        work = repository.create_workspace(task_id, base)
        (work / os.fsdecode(b"caf\xe9")).write_text(f"{task_id} token = ghp_{'a1B2' * 9}\n")
        (work / "back\\slash").write_text("same\n")
        (work / os.fsdecode(b"gone\xff")).unlink()
        (work / os.fsdecode(b"new\xfe")).write_text("same\n")
        snapshot = repository.snapshot(task_id, work, base, "m", when)
        assert snapshot.files == ("back%5Cslash", "caf%E9", "gone%FF", "new%FE")
        assert snapshot.refused == ()
        commits.append((task_id, snapshot.commit))
    joined = repository.integrate(base, commits, when)
    assert [conflict.files for conflict in joined.conflicts] == [("caf%E9",)]


def test_a_repository_planted_where_the_user_has_a_submodule_never_runs(
    tmp_path: Path, user: Path, git: Git, when: datetime, canary: Canary
) -> None:
    head = git(user, "rev-parse", "HEAD")
    git(user, "update-index", "--add", "--cacheinfo", f"160000,{head},vendored")
    git(user, "commit", "-qm", "submodule")
    repository = Repository.prepare(tmp_path / "w", str(user))
    base = repository.pin("main")
    work = repository.create_workspace("t", base)
    vendored = work / "vendored"
    git(vendored, "init", "-q")
    git(vendored, "commit", "-q", "--allow-empty", "-m", "x")
    _plant_everything(vendored / ".git", canary)
    (vendored / ".gitattributes").write_text("* filter=evil\n")
    (work / "good").write_text("x\n")
    snapshot = repository.snapshot("t", work, base, "m", when)
    assert snapshot.files == ("good",)
    assert not canary.sang()


def test_attributes_that_git_chokes_on_cost_only_their_file(repository: Repository, base: str, when: datetime) -> None:
    work = repository.create_workspace("t", base)
    (work / ".gitattributes").write_text("bad working-tree-encoding=UTF-16\n")
    (work / "bad").write_bytes(b"x\n")
    (work / "good").write_text("x\n")
    snapshot = repository.snapshot("t", work, base, "m", when)
    assert snapshot.files == (".gitattributes", "good")
    assert [refused.path for refused in snapshot.refused] == ["bad"]


def test_an_untrusted_git_would_have_run_what_the_trusted_one_does_not(user: Path, canary: Canary) -> None:
    _plant_everything(user / ".git", canary)
    _fails(user, "status")
    canary.proves_itself()
    TrustedGit(user / ".git", users_own=True).run("status", work_tree=user)
    assert not canary.sang()


def test_a_hostile_program_leaves_nothing_alive_and_the_users_repository_as_it_was(
    repository: Repository, base: str, when: datetime, tmp_path: Path, user: Path, canary: Canary,
    environment: dict[str, str], census: Any, fingerprint: Any,
) -> None:  # fmt: skip
    before = fingerprint(user)
    work = repository.create_workspace("t", base)
    script = f"""
    for hook in post-commit post-checkout post-index-change reference-transaction pre-commit; do
        cp {canary.program} .git/hooks-$hook; mkdir -p .git/hooks; cp {canary.program} .git/hooks/$hook
    done
    git config core.fsmonitor {canary.program}
    git config filter.evil.clean {canary.program}
    printf '* filter=evil\\n' > .gitattributes
    echo work > work.txt
    ln -s / root
    mv .git elsewhere; printf 'gitdir: %s/elsewhere\\n' "$PWD" > .git
    (setsid sh -c 'trap "" INT TERM HUP; sleep 60' > /dev/null 2>&1 &) &
    (setsid sh -c 'trap "" INT TERM HUP; while :; do echo flood; done' &) &
    trap '' INT TERM HUP
    yes "$(head -c 1000 /dev/zero | tr '\\0' x)" | head -c 200000000
    sleep 60
    """
    outcome = run_supervised(
        ["sh", "-c", script], cwd=work, env=environment | census.variables, log=tmp_path / "log", deadline=3.0, grace=0.2,
        max_log_bytes=1_000_000,
    )  # fmt: skip
    assert outcome.reason == "deadline"
    assert census.living() == []
    assert (tmp_path / "log").stat().st_size < 1_001_000
    assert b"log limit reached" in (tmp_path / "log").read_bytes().splitlines()[-1]
    canary.file.unlink(missing_ok=True)  # its own git may have sung inside the sandbox
    snapshot = repository.snapshot("t", work, base, "m", when)
    assert {"work.txt", ".gitattributes"} <= set(snapshot.files)
    assert "root" in [refused.path for refused in snapshot.refused]
    repository.integrate(base, [("t", snapshot.commit)], when)
    repository.create_workspace("t", base)
    assert not canary.sang()
    assert fingerprint(user) == before
