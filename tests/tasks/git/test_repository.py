"""Workspaces: made from the user's repository, taken over by content, delivered back without force."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contexts.errors import RepositoryError
from tasks.git.repository import Repository
from tasks.git.snapshot import Staged

pytestmark = pytest.mark.usefixtures("outside")

Git = Callable[..., str]


def test_preparing_leaves_the_users_repository_byte_for_byte(tmp_path: Path, user: Path, fingerprint: Any) -> None:
    (user / "src" / "app.py").write_text("touched\n")
    before = fingerprint(user)
    repository = Repository.prepare(tmp_path / "w", str(user))
    repository.pin("main")
    repository.dirty(["**"])
    assert fingerprint(user) == before
    links = [file for file in (tmp_path / "w").rglob("*") if file.is_file() and file.stat().st_nlink > 1]
    assert not links
    assert not (repository.git.git_dir / "objects" / "info" / "alternates").exists()


def test_two_preparers_at_once_both_get_a_whole_repository(tmp_path: Path, user: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: Repository.prepare(tmp_path / "w", str(user)).pin("main"), range(6)))
    assert len(set(made)) == 1


def test_refreshing_brings_new_commits(user: Path, git: Git, repository: Repository, base: str) -> None:
    git(user, "commit", "-q", "--allow-empty", "-m", "more")
    assert repository.pin("main") == base
    assert Repository.prepare(repository.root, str(user)).pin("main") == git(user, "rev-parse", "HEAD")


@pytest.mark.parametrize("where", ["nowhere", "empty", "file", "user/src", "ext::sh -c touch% canary", "-x"])
@pytest.mark.usefixtures("user")
def test_a_source_that_is_no_repository_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    name = where if where.startswith(("ext", "-")) else str(tmp_path / where)
    with pytest.raises(RepositoryError, match="repository"):
        Repository.prepare(tmp_path / "w", name)
    assert not (tmp_path / "w").exists()


def test_a_url_a_bare_repository_and_a_linked_worktree_serve_as_source(tmp_path: Path, user: Path, git: Git) -> None:
    git(user, "clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    git(user, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    head = git(user, "rev-parse", "HEAD")
    for number, where in enumerate(
        (f"file://{tmp_path}/bare.git", str(tmp_path / "bare.git"), str(tmp_path / "linked"))
    ):
        repository = Repository.prepare(tmp_path / f"w{number}", where)
        assert repository.pin("main") == head
        assert repository.dirty(["**"]) == ()
        assert repository.deliver("plait/x", head, previous=None) == "plait/x"
    assert git(user, "rev-parse", "plait/x") == head
    (tmp_path / "linked" / "new").write_text("n")
    assert repository.dirty(["**"]) == ("new",)


def test_a_base_is_pinned_by_branch_tag_remote_branch_id_and_offset(user: Path, git: Git, tmp_path: Path) -> None:
    first = git(user, "rev-parse", "HEAD")
    git(user, "tag", "-a", "v1", "-m", "v1")
    git(user, "update-ref", "refs/remotes/origin/topic", first)
    git(user, "commit", "-q", "--allow-empty", "-m", "second")
    repository = Repository.prepare(tmp_path / "w", str(user))
    for base in ("v1", "origin/topic", first, first[:12], "main~1", "HEAD^", "refs/tags/v1", "main^{commit}~1"):
        assert repository.pin(base) == first, base
    assert repository.pin("HEAD") == repository.pin("main") == git(user, "rev-parse", "HEAD")


def test_a_commit_no_branch_holds_any_more_can_still_be_pinned(user: Path, git: Git, tmp_path: Path) -> None:
    git(user, "commit", "-q", "--allow-empty", "-m", "dropped")
    dropped = git(user, "rev-parse", "HEAD")
    git(user, "reset", "-q", "--hard", "HEAD~1")
    assert Repository.prepare(tmp_path / "w", str(user)).pin(dropped) == dropped


@pytest.mark.parametrize("base", ["nothing", "a" * 40, "--help", "main\n", "main:src", "", "x..y", "\0"])
def test_an_unknown_base_is_refused(repository: Repository, base: str) -> None:
    if base == "":
        assert repository.pin(base)  # nothing named: where HEAD is
        return
    with pytest.raises(RepositoryError):
        repository.pin(base)


def test_a_repository_without_a_commit_is_told(tmp_path: Path, git: Git) -> None:
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q", "-b", "main")
    with pytest.raises(RepositoryError, match="no commit yet"):
        Repository.prepare(tmp_path / "w", str(tmp_path / "new")).pin("main")


def test_uncommitted_changes_are_seen_where_a_track_owns_them(user: Path, git: Git, repository: Repository) -> None:
    (user / "src" / "app.py").write_text("modified\n")
    (user / "src" / "new.py").write_text("untracked\n")
    (user / "staged.md").write_text("staged\n")
    git(user, "add", "staged.md")
    (user / "ignored.log").write_text("ignored\n")
    assert repository.dirty(["src/**"]) == ("src/app.py", "src/new.py")
    assert repository.dirty(["**/*.md"]) == ("staged.md",)
    assert repository.dirty(["docs/**"]) == ()
    git(user, "mv", "README.md", "src/README.md")
    assert "README.md" in repository.dirty(["README.md"])


def test_a_workspace_is_a_repository_an_agent_can_use(repository: Repository, base: str, git: Git) -> None:
    work = repository.create_workspace("t", base)
    assert git(work, "status", "--porcelain", "--branch") == "## plait/t"
    (work / "src" / "app.py").write_text("x\n")
    git(work, "commit", "-qam", "mine")
    assert git(work, "rev-parse", "HEAD~1") == base
    assert [one.path for one in repository.workspaces()] == [work]


def test_what_is_in_the_work_tree_counts_whatever_the_agent_committed(
    repository: Repository, base: str, git: Git, when: datetime
) -> None:
    work = repository.create_workspace("t", base)
    (work / "src" / "app.py").write_text("committed\n")
    git(work, "commit", "-qam", "mine")
    (work / "src" / "app.py").write_text("final\n")
    git(work, "mv", "README.md", "READ.md")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / 'odd "name" ünï').write_text("x")
    (work / "noise.log").write_text("ignored\n")
    snapshot = repository.snapshot("t", work, base, "t: work", when)
    assert snapshot.files == ("READ.md", "README.md", 'odd "name" ünï', "run.sh", "src/app.py")
    assert snapshot.refused == ()
    assert repository.git.text("log", "--format=%H %P %an %ct %s", snapshot.commit, "-1").split() == [
        snapshot.commit, base, "plait", str(int(when.timestamp())), "t:", "work",
    ]  # fmt: skip
    assert repository.git.run("cat-file", "blob", f"{snapshot.commit}:src/app.py") == b"final\n"
    assert repository.git.text("ls-tree", snapshot.commit, "run.sh").startswith("100755")
    assert repository.snapshot("t", work, base, "t: work", when) == snapshot, "the same work gives the same commit"


def test_a_file_in_a_folders_place_and_a_folder_in_a_files_place_are_taken(
    repository: Repository, base: str, when: datetime
) -> None:
    work = repository.create_workspace("t", base)
    (work / "src" / "app.py").unlink()
    (work / "src").rmdir()
    (work / "src").write_text("a file now\n")
    (work / "README.md").unlink()
    (work / "README.md").mkdir()
    (work / "README.md" / "part").write_text("p\n")
    assert repository.snapshot("t", work, base, "m", when).files == ("README.md", "README.md/part", "src", "src/app.py")


def test_no_change_is_the_start_commit(repository: Repository, base: str, when: datetime) -> None:
    work = repository.create_workspace("t", base)
    snapshot = repository.snapshot("t", work, base, "m", when)
    assert (snapshot.commit, snapshot.files) == (base, ())


def test_added_lines_are_shown_before_the_commit_and_can_be_redacted(
    repository: Repository, base: str, when: datetime
) -> None:
    work = repository.create_workspace("t", base)
    (work / "src" / "app.py").write_text("one\ntwo\nnew three\nfour\nfive\n++ six\n")
    (work / ".gitattributes").write_text("*.bin binary\nhidden -diff\n")
    (work / "secret.bin").write_bytes(b"\0\xff token\n")
    (work / "hidden").write_text("-- dashes\ntoken")
    seen: list[tuple[str, int, str]] = []

    def redact(staged: Staged) -> None:
        seen.extend(staged.added_lines())
        staged.replace("hidden", staged.read("hidden").replace(b"token", b"[redacted]"))

    snapshot = repository.snapshot("t", work, base, "m", when, inspect=redact)
    assert ("src/app.py", 3, "new three") in seen
    assert ("src/app.py", 6, "++ six") in seen
    assert ("secret.bin", 1, "\0\ufffd token") in seen
    assert ("hidden", 2, "token") in seen
    assert len(seen) == 7
    assert repository.git.run("cat-file", "blob", f"{snapshot.commit}:hidden") == b"-- dashes\n[redacted]"
    assert (work / "hidden").read_text() == "-- dashes\ntoken"
    assert b"token\n" not in repository.bundle(base, snapshot.commit)
    assert [line for line in repository.diff_text(base, snapshot.commit) if line[0] == "hidden"][1][2] == "[redacted]"
    assert repository.remove_workspace("t"), "redacted work has been taken over"


def test_an_inspection_that_refuses_leaves_no_commit(repository: Repository, base: str, when: datetime) -> None:
    work = repository.create_workspace("t", base)
    (work / "new").write_text("x\n")

    def refuse(_: Staged) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        repository.snapshot("t", work, base, "m", when, inspect=refuse)
    assert repository.git.commit_of("refs/plait/tracks/t") is None
    assert not list((repository.git.git_dir / "plait").glob("index-*"))


def test_leftover_work_is_set_aside_and_listed(repository: Repository, base: str, when: datetime) -> None:
    work = repository.create_workspace("t", base)
    (work / "kept").write_text("k\n")
    assert not repository.remove_workspace("t")
    again = repository.create_workspace("t", base)
    assert not (again / "kept").exists()
    aside = again.parent / "work-left-1"
    assert (aside / "kept").read_text() == "k\n"
    (again / "done").write_text("d\n")
    repository.snapshot("t", again, base, "m", when)
    assert [(w.task_id, w.path, w.uncommitted) for w in repository.workspaces()] == [
        ("t", again, False),
        ("t", aside, True),
    ]
    (again / "later").write_text("l\n")
    assert not repository.remove_workspace("t")
    assert repository.remove_workspace("t", keep_uncommitted=False)
    assert not again.exists()


def test_a_workspace_an_agent_locked_can_be_removed(repository: Repository, base: str) -> None:
    work = repository.create_workspace("t", base)
    (work / "locked").mkdir()
    (work / "locked" / "x").write_text("x")
    (work / "locked").chmod(0)
    assert repository.remove_workspace("t", keep_uncommitted=False)
    assert not work.exists()


def test_a_checkout_is_plain_or_a_repository_of_its_own(
    repository: Repository, base: str, tmp_path: Path, git: Git
) -> None:
    plain = repository.checkout(base, tmp_path / "plain")
    assert sorted(path.name for path in plain.iterdir()) == [".gitignore", "README.md", "src"]
    own = repository.checkout(base, tmp_path / "own", as_repository=True)
    assert git(own, "rev-parse", "HEAD") == base
    assert git(own, "ls-files").splitlines() == [".gitignore", "README.md", "src/app.py"]
    assert git(own, "status", "--porcelain") == ""
    with pytest.raises(RepositoryError, match="not empty"):
        repository.checkout(base, own)


def test_bundles_carry_a_track_to_another_machine(
    repository: Repository, base: str, when: datetime, tmp_path: Path, user: Path, git: Git
) -> None:
    work = repository.create_workspace("t", base)
    (work / "new").write_text("x\n")
    commit = repository.snapshot("t", work, base, "m", when).commit
    data = repository.bundle(base, commit)
    assert data == repository.bundle(base, commit)
    other = Repository.prepare(tmp_path / "other", str(user))
    assert other.unbundle(data) == commit
    assert other.unbundle(data) == commit, "a second time changes nothing"
    assert other.changed_paths(base, commit) == ("new",)
    assert other.unbundle(other.bundle(base, base)) == base
    (tmp_path / "stranger").mkdir()
    git(tmp_path / "stranger", "init", "-q", "-b", "main")
    git(tmp_path / "stranger", "commit", "-q", "--allow-empty", "-m", "x")
    stranger = Repository.prepare(tmp_path / "w2", str(tmp_path / "stranger"))
    with pytest.raises(RepositoryError, match=base):
        stranger.unbundle(data)
    fresh = Repository.prepare(tmp_path / "w3", str(user))
    for damaged in (b"", b"junk", data[: len(data) // 2], data[:-30] + bytes(30)):
        with pytest.raises(RepositoryError):
            fresh.unbundle(damaged)


def test_delivery_never_moves_what_plait_did_not_put_there(
    repository: Repository, base: str, user: Path, git: Git, when: datetime
) -> None:
    def work(text: str) -> str:
        folder = repository.create_workspace("t", base)
        (folder / "new").write_text(text)
        return repository.snapshot("t", folder, base, text, when).commit

    first, second, third = work("1"), work("2"), work("3")
    assert repository.deliver("plait/x", first, previous=None) == "plait/x"
    assert repository.deliver("plait/x", first, previous=None) == "plait/x"
    assert repository.deliver("plait/x", second, previous=first) == "plait/x"
    git(user, "checkout", "-q", "plait/x")
    assert repository.deliver("plait/x", third, previous=second) == "plait/x-2"
    (user / "mine").write_text("m")
    git(user, "add", "mine")
    git(user, "commit", "-qm", "mine")
    mine = git(user, "rev-parse", "HEAD")
    git(user, "checkout", "-q", "main")
    assert repository.deliver("plait/x", second, previous=third) == "plait/x-2"
    assert git(user, "rev-parse", "plait/x") == mine
    git(user, "branch", "folder")
    assert repository.deliver("folder/x", first, previous=None) == "folder-x"


def test_delivery_runs_no_hook(repository: Repository, base: str, user: Path, tmp_path: Path) -> None:
    hooks = user / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-checkout", "post-merge", "pre-auto-gc", "update"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    assert repository.deliver("plait/x", base, previous=None) == "plait/x"
    assert not (tmp_path / "ran").exists()


def test_delivery_by_url_keeps_the_same_rules(tmp_path: Path, user: Path, git: Git) -> None:
    bare = tmp_path / "bare.git"
    git(user, "clone", "-q", "--bare", ".", str(bare))
    first = git(user, "rev-parse", "HEAD")
    git(user, "commit", "-q", "--allow-empty", "-m", "2")
    git(user, "push", "-q", str(bare), "main")
    second = git(user, "rev-parse", "HEAD")
    repository = Repository.prepare(tmp_path / "w", f"file://{bare}")
    assert repository.deliver("plait/x", first, previous=None) == "plait/x"
    assert repository.deliver("plait/x", second, previous=first) == "plait/x"
    assert repository.deliver("plait/x", first, previous=None) == "plait/x-2"
    assert git(bare, "rev-parse", "plait/x") == second


def test_a_shallow_clone_serves_too(tmp_path: Path, user: Path, git: Git, when: datetime) -> None:
    git(user, "commit", "-q", "--allow-empty", "-m", "2")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{user}", str(tmp_path / "shallow"))
    repository = Repository.prepare(tmp_path / "w", str(tmp_path / "shallow"))
    base = repository.pin("main")
    work = repository.create_workspace("t", base)
    (work / "new").write_text("n\n")
    assert git(work, "log", "--format=%s") == "2"
    commit = repository.snapshot("t", work, base, "m", when).commit
    assert repository.deliver("plait/x", commit, previous=None) == "plait/x"
    assert git(tmp_path / "shallow", "log", "--format=%s", "plait/x") == "m\n2"


def test_git_errors_hold_gits_last_line_and_hide_passwords(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="git ls-remote failed") as caught:
        Repository.prepare(tmp_path / "w", "http://user:hunter2@127.0.0.1:9/x.git")
    assert "hunter2" not in str(caught.value)


def test_many_tracks_take_over_at_once(repository: Repository, base: str, when: datetime) -> None:
    def one(number: int) -> tuple[str, str]:
        work = repository.create_workspace(f"t{number}", base)
        (work / f"f{number}").write_text("x\n")
        return f"t{number}", repository.snapshot(f"t{number}", work, base, "m", when + timedelta(seconds=number)).commit

    with ThreadPoolExecutor(8) as pool:
        branches = list(pool.map(one, range(8)))
    assert repository.integrate(base, branches, datetime(2026, 1, 1, tzinfo=UTC)).merged == tuple(
        f"t{n}" for n in range(8)
    )
    assert subprocess.run(
        ["git", "--git-dir", repository.git.git_dir, "fsck", "--strict"], check=True, capture_output=True
    )
