"""Take over what an agent left in its workspace: stage it, let the caller look and redact, then commit.

The workspace's own ``.git`` is never read, so it does not matter whether the agent committed, what it configured, or
what stands in that place now. Git hashes the files with the orchestrator's git dir and an index of this staging alone.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from contexts.errors import RepositoryError
from tasks.git.paths import MAX_FILE_BYTES, Refused, readable, why_refused_link, why_refused_path
from tasks.git.trusted_git import EMPTY_TREES, TrustedGit, failure

MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""Troubles of the machine, which are no fault of a file's."""
_MAX_NOT_TAKEN = 100
_UNREADABLE = "it cannot be read"
_LOCKED = re.compile(rb"could not open directory '(.+?)/?':")
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An agent's work as plait committed it.

    Attributes:
        commit: Full id; the start commit itself where nothing changed.
        tree: Full id of its tree.
        files: Changed paths against the start commit, sorted; a rename counts as both of its paths.
        refused: What was left out, and why.
    """

    commit: str
    tree: str
    files: tuple[str, ...]
    refused: tuple[Refused, ...]


class Staged:
    """A workspace's content between being hashed and being committed; a context manager.

    Args:
        git: The orchestrator's git.
        workspace: The agent's folder; nothing in it may be running any more.
        start: The commit the workspace was made from.
    """

    def __init__(self, git: TrustedGit, workspace: Path, start: str) -> None:
        self._git = git
        self._workspace = workspace
        self._start = start
        self._index = git.room() / f"index-{uuid.uuid4().hex}"
        self._folders: dict[str, bool] = {}
        self._refused: dict[str, str] = {}
        self._not_taken = 0
        self._start_tree = git.tree_of(start)
        self.tree = self._start_tree
        if self._start_tree in EMPTY_TREES and self._is_empty():
            return
        try:
            self._fill()
            self.tree = self._write_tree()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the index."""
        self._index.unlink(missing_ok=True)

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What was left out, by path."""
        return tuple(Refused(readable(path), why) for path, why in sorted(self._refused.items()))

    @property
    def files(self) -> tuple[str, ...]:
        """Changed paths against the start commit, sorted."""
        return changed_paths(self._git, self._start, self.tree) if self.tree != self._start_tree else ()

    def added_lines(self) -> Iterator[tuple[str, int, str]]:
        """Yield path, line number (from 1) and text of every line that is not in the start commit."""
        return added_lines(self._git, self._start, self.tree) if self.tree != self._start_tree else iter(())

    def read(self, path: str) -> bytes:
        """Return a file's staged content."""
        return self._git.run("cat-file", "blob", self._entry(path)[1])

    def before(self, path: str) -> bytes:
        """Return a file's content in the start commit, nothing where it was not there."""
        done = self._git.call("cat-file", "blob", f"{self._start}:{path}")
        return done.stdout if done.returncode == 0 else b""

    def replace(self, path: str, content: bytes) -> None:
        """Put other content in a staged file's place, as a redaction does; the workspace stays as it is."""
        mode = self._entry(path)[0]
        blob = self._git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        entry = f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0"
        self._git.run("update-index", "-z", "--index-info", index=self._index, stdin=entry)
        self.tree = self._write_tree()

    def commit(self, message: str, when: datetime) -> Snapshot:
        """Commit what is staged now, on the start commit; equal content, message and date give the equal commit."""
        files = self.files
        commit = self._start
        if files:
            commit = (
                self._git.run("commit-tree", self.tree, "-p", self._start, stdin=message.encode(), when=when)
                .decode()
                .strip()
            )
        return Snapshot(commit, self.tree, files, self.refused)

    def _entry(self, path: str) -> tuple[str, str]:
        line = self._git.run("ls-files", "-s", "-z", "--", f":(literal){path}", index=self._index)
        if not line:
            raise RepositoryError(f"{path!r} is not among the staged files; name one of Staged.files that still exists")
        mode, blob, _ = line.split(b"\t")[0].decode().split()
        return mode, blob

    def _is_empty(self) -> bool:
        try:
            with os.scandir(self._workspace) as entries:
                return next(entries, None) is None
        except OSError:
            return False

    def _write_tree(self) -> str:
        return self._git.run("write-tree", index=self._index).decode().strip()

    def _fill(self) -> None:
        tracked: dict[str, tuple[str, str]] = {}
        if self._start_tree not in EMPTY_TREES:
            self._git.run("read-tree", self._start, index=self._index)
            tracked = self._tracked()
        gone = [path for path, (mode, _) in tracked.items() if mode != "160000" and self._is_gone(path)]
        taken = [path for path, (mode, blob) in tracked.items() if mode != "160000" and self._takes(path, blob)]
        listed = self._git.call(
            "ls-files", "-o", "-z", "--exclude-per-directory=.gitignore", index=self._index, work_tree=self._workspace
        )
        if listed.returncode:
            raise failure(("ls-files",), listed.stderr)
        for folder in _LOCKED.findall(listed.stderr):
            self._refused[os.fsdecode(folder)] = _UNREADABLE
        for raw in listed.stdout.split(b"\0"):
            path = os.fsdecode(raw)
            if path.endswith("/"):
                self._refused[path.rstrip("/")] = "it is a git repository of its own inside the tree"
            elif path and self._takes(path, None):
                taken.append(path)
        self._update("--force-remove", gone)
        self._add(taken)

    def _tracked(self) -> dict[str, tuple[str, str]]:
        entries: dict[str, tuple[str, str]] = {}
        for line in self._git.run("ls-files", "-s", "-z", index=self._index).split(b"\0"):
            if line:
                about, _, path = line.partition(b"\t")
                mode, blob, _ = about.decode().split()
                entries[os.fsdecode(path)] = (mode, blob)
        return entries

    def _kind(self, path: str) -> os.stat_result | None:
        """Return what stands at a path, None for nothing, a folder, or anything beyond a link."""
        parent = path.rpartition("/")[0]
        if parent and not self._is_real_folder(parent):
            return None
        try:
            status = os.lstat(self._workspace / path)
        except PermissionError:
            self._refused[path] = _UNREADABLE
            return None
        except OSError:
            return None
        return None if stat.S_ISDIR(status.st_mode) else status

    def _is_gone(self, path: str) -> bool:
        return self._kind(path) is None and path not in self._refused

    def _is_real_folder(self, path: str) -> bool:
        if path not in self._folders:
            parent = path.rpartition("/")[0]
            try:
                self._folders[path] = (not parent or self._is_real_folder(parent)) and stat.S_ISDIR(
                    os.lstat(self._workspace / path).st_mode
                )
            except PermissionError:
                self._folders[path] = True  # it cannot be seen, so it is not known to be gone
            except OSError:
                self._folders[path] = False
        return self._folders[path]

    def _takes(self, path: str, blob: str | None) -> bool:
        """Decide about one path; ``blob`` is its content in the start commit, if it has any."""
        status = self._kind(path)
        if status is None:
            return False
        why = None if blob else why_refused_path(path)
        if why is None and stat.S_ISLNK(status.st_mode):
            target = os.readlink(self._workspace / path)  # noqa: PTH115 - Path would tidy the target
            why = why_refused_link(path, target)
            if why and blob and self._git.run("cat-file", "blob", blob) == os.fsencode(target):
                why = None  # the user's own link, unchanged
        elif why is None and not stat.S_ISREG(status.st_mode):
            why = "it is neither a file nor a link"
        elif why is None and not os.access(self._workspace / path, os.R_OK):
            why = _UNREADABLE
        elif why is None and status.st_size > MAX_FILE_BYTES and not (blob and self._size(blob) == status.st_size):
            why = f"it is larger than {MAX_FILE_BYTES} bytes"
        if why:
            self._refused[path] = why
        return why is None

    def _size(self, blob: str) -> int:
        return int(self._git.run("cat-file", "-s", blob))

    def _add(self, paths: list[str]) -> None:
        """Hash files into the index; find by halves what git itself will not take, leave it out, and go on."""
        batches = [paths]
        while batches:
            batch = batches.pop()
            said = self._update("--add", batch)
            if said is None:
                continue
            if self._not_taken >= _MAX_NOT_TAKEN or any(os.strerror(number) in said for number in MACHINE):
                raise failure(("update-index",), os.fsencode(said))
            if len(batch) == 1:
                self._not_taken += 1
                self._refused[batch[0]] = "git cannot take it over under that name or with its attributes"
            else:
                middle = len(batch) // 2
                batches += [batch[middle:], batch[:middle]]

    def _update(self, how: str, paths: list[str]) -> str | None:
        if not paths:
            return None
        done = self._git.call(
            "update-index", how, "--replace", "-z", "--stdin",
            index=self._index, work_tree=self._workspace, stdin=b"".join(os.fsencode(path) + b"\0" for path in paths),
        )  # fmt: skip
        return os.fsdecode(done.stderr) or "it gave no reason" if done.returncode else None


def changed_paths(git: TrustedGit, start: str, end: str) -> tuple[str, ...]:
    """Return the paths that differ between two commits or trees, readable and sorted, a rename as both of its paths."""
    listed = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", start, end)
    return tuple(sorted(readable(os.fsdecode(path)) for path in listed.split(b"\0") if path))


def added_lines(git: TrustedGit, start: str, end: str) -> Iterator[tuple[str, int, str]]:
    """Yield path, line number (from 1) and text of every added line, also of files that attributes call binary."""
    listed = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", start, end).split(b"\0")[:-1]
    sections: list[str] = []
    for status, path in zip(listed[::2], listed[1::2], strict=True):
        # A file that became a link is shown as two sections, its end and its beginning.
        sections += [os.fsdecode(path)] * (2 if status == b"T" else 1)
    with tempfile.TemporaryFile() as patch:
        done = git.call(
            "diff-tree", "-r", "-p", "-U0", "--text", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
            start, end, stdout=patch,
        )  # fmt: skip
        if done.returncode:
            raise failure(("diff-tree",), done.stderr)
        patch.seek(0)
        section, minus, plus, number = -1, 0, 0, 0
        for line in patch:
            if minus and line.startswith(b"-"):
                minus -= 1
            elif plus and line.startswith(b"+"):
                yield sections[section], number, line[1:].rstrip(b"\r\n").decode("utf-8", "replace")
                plus, number = plus - 1, number + 1
            elif line.startswith(b"diff --git "):
                section += 1
            elif match := _HUNK.match(line):
                minus = int(match[1] or 1)
                number = int(match[2])
                plus = int(match[3] or 1)
