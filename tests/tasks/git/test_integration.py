"""Branches are merged one after another; one that conflicts is left out, named, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from contexts.errors import RepositoryError
from tasks.git.repository import Repository

Change = Callable[..., tuple[str, str]]


@pytest.fixture
def change(repository: Repository, base: str, when: datetime) -> Change:
    """Make a track's branch from files to write; None removes one."""

    def make(task_id: str, files: dict[str, str | None], start: str = base) -> tuple[str, str]:
        work = repository.create_workspace(task_id, start)
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                (work / name).unlink()
            else:
                (work / name).write_text(text)
        return task_id, repository.snapshot(task_id, work, start, task_id, when).commit

    return make


def test_branches_that_fit_are_all_merged(repository: Repository, base: str, change: Change, when: datetime) -> None:
    a = change("a", {"src/app.py": "ONE\ntwo\nthree\nfour\nfive\n"})
    b = change("b", {"src/app.py": "one\ntwo\nthree\nfour\nFIVE\n", "b": "b\n"})
    done = repository.integrate(base, [a, b], when)
    assert (done.merged, done.conflicts) == (("a", "b"), ())
    assert repository.git.run("cat-file", "blob", f"{done.commit}:src/app.py") == b"ONE\ntwo\nthree\nfour\nFIVE\n"
    assert repository.tree(done.commit) == done.tree
    assert repository.integrate(base, [a, b], when) == done


def test_a_conflicting_branch_is_left_out_and_named(repository: Repository, base: str, change: Change) -> None:
    a = change("a", {"other": "a\n"})
    b = change("b", {"src/app.py": "one\ntwo\nB\nfour\nfive\n"})
    c = change("c", {"src/app.py": "one\ntwo\nC\nfour\nfive\n", "c": "c\n"})
    d = change("d", {"d": "d\n"})
    done = repository.integrate(base, [a, b, c, d])
    assert done.merged == ("a", "b", "d")
    (conflict,) = done.conflicts
    assert (conflict.task_id, conflict.files, conflict.against) == ("c", ("src/app.py",), ("b",))
    assert repository.changed_paths(base, done.commit) == ("d", "other", "src/app.py")


def test_pairwise_clean_but_together_in_conflict_is_found(repository: Repository, base: str, change: Change) -> None:
    a = change("a", {"README.md": None, "moved.md": "read me\n"})
    b = change("b", {"README.md": "read me\nand more\n"})
    c = change("c", {"moved.md": "mine\n"})
    done = repository.integrate(base, [a, b, c])
    assert done.merged == ("a", "b")
    assert done.conflicts[0].against == ("a", "b")


def test_a_removal_against_a_change_is_a_conflict(repository: Repository, base: str, change: Change) -> None:
    a = change("a", {"README.md": None})
    b = change("b", {"README.md": "completely\nother\n"})
    done = repository.integrate(base, [a, b])
    assert done.conflicts[0].files == ("README.md",)
    assert done.conflicts[0].against == ("a",)


def test_a_folder_in_a_files_place_names_whom_it_conflicts_with(
    repository: Repository, base: str, change: Change
) -> None:
    a = change("a", {"x": "file\n"})
    b = change("b", {"x/y": "in a folder\n"})
    done = repository.integrate(base, [a, b])
    assert done.conflicts[0].task_id == "b"
    assert done.conflicts[0].against == ("a",)


def test_a_branch_that_changes_nothing_costs_no_commit(repository: Repository, base: str, change: Change) -> None:
    a = change("a", {})
    done = repository.integrate(base, [a, ("same", base)])
    assert (done.commit, done.merged) == (base, ("a", "same"))


def test_a_track_starts_from_its_prerequisites_and_merges_back(
    repository: Repository, base: str, change: Change, when: datetime
) -> None:
    a, b = change("a", {"a": "a\n"}), change("b", {"b": "b\n"})
    start = repository.start_commit(base, [a, b])
    assert start == repository.start_commit(base, [a, b]), "the same on any machine, at any time"
    c = change("c", {"a": "a\nand c\n"}, start.commit)
    assert repository.changed_paths(start.commit, c[1]) == ("a",)
    done = repository.integrate(base, [a, b, c], when)
    assert (done.merged, done.conflicts) == (("a", "b", "c"), ())
    assert repository.changed_paths(base, done.commit) == ("a", "b")


def test_prerequisites_in_conflict_are_reported(repository: Repository, base: str, change: Change) -> None:
    start = repository.start_commit(base, [change("a", {"x": "1\n"}), change("b", {"x": "2\n"})])
    assert [conflict.task_id for conflict in start.conflicts] == ["b"]


def test_a_commit_that_is_not_there_is_an_error_not_a_conflict(repository: Repository, base: str) -> None:
    with pytest.raises(RepositoryError, match="restore its bundle"):
        repository.integrate(base, [("a", "b" * 40)])
    with pytest.raises(RepositoryError, match="restore its bundle"):
        repository.integrate("main", [])
