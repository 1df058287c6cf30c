"""Plain folders: what changed is found by content, and the same things are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from contexts.errors import BadIdentifier, RepositoryError
from tasks.walls.plain import (
    create_plain_workspace,
    files_changed,
    list_files,
    open_plain_workspace,
    remove_plain_workspace,
)


def test_added_changed_and_removed_files_are_listed(tmp_path: Path) -> None:
    work = create_plain_workspace(tmp_path, "t")
    for name in ("same", "changed", "removed"):
        (work / name).write_text(name)
    before = list_files(work)
    (work / "changed").write_text("other")
    (work / "removed").unlink()
    (work / "a").mkdir()
    (work / "a" / "added").write_text("x")
    assert files_changed(before, list_files(work)) == ("a/added", "changed", "removed")


def test_what_must_not_leave_is_refused(tmp_path: Path) -> None:
    work = create_plain_workspace(tmp_path, "t")
    (work / "out").symlink_to("/etc")
    (work / "up").symlink_to("../x")
    (work / "fine").symlink_to("file")
    (work / "file").write_text("f")
    (work / "big").write_text("0123456789")
    (work / "new\nline").write_text("x")
    (work / "nested" / ".git").mkdir(parents=True)
    listing = list_files(work, max_file_bytes=9)
    assert set(listing.files) == {"file", "fine"}
    assert [refused.path for refused in listing.refused] == ["big", "nested/.git", "new\nline", "out", "up"]


def test_leftover_work_is_set_aside(tmp_path: Path) -> None:
    work = create_plain_workspace(tmp_path, "t")
    (work / "kept").write_text("k")
    assert not list(create_plain_workspace(tmp_path, "t").iterdir())
    assert (tmp_path / "tracks" / "t" / "work-left-1" / "kept").read_text() == "k"


def test_a_folder_that_differs_from_what_was_saved_is_not_removed(tmp_path: Path) -> None:
    work = create_plain_workspace(tmp_path, "t")
    saved = list_files(work)
    (work / "late").write_text("l")
    assert not remove_plain_workspace(tmp_path, "t", keep=saved)
    assert remove_plain_workspace(tmp_path, "t", keep=list_files(work))
    with pytest.raises(RepositoryError, match="run the track again"):
        open_plain_workspace(tmp_path, "t")


def test_a_task_id_cannot_lead_out(tmp_path: Path) -> None:
    with pytest.raises(BadIdentifier):
        create_plain_workspace(tmp_path, "../t")
