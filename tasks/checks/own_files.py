"""A check's own files: what its command runs and reads; and whether a track changed, added or removed any of it.

A command is fixed by the spec, and its files by the base commit. Tests are different: tracks are to add some, but not
to take away what was there. Where a command starts the product, what it names is what is checked: that is for tracks
to change, and what decides (the load, the comparison) is plait's own.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

from contexts.documents.findings import Finding, Source
from contexts.spec.checks import Check, CoverageCheck, MigrationsCheck, TestsCheck
from contexts.store.keys import track_document
from contexts.text.plural import counted, first_of
from tasks.checks.tool_settings import is_test_settings, looked_up_first, may_be_settings, settings_differ, tool_names
from tasks.git.paths import matches_any

_STARTS_PRODUCT = frozenset({"performance", "contract", "api"})
"""Kinds whose command starts the product or prints what it says of itself."""
_READ_ANYWAY: Mapping[str, tuple[str, ...]] = {
    "security": (".bandit", ".secrets.baseline", "bandit.py", "bandit/**", "detect_secrets/**", "detect_secrets.py"),
    "migrations": ("alembic.ini",),
}
_INTERPRETER = re.compile(r"\{python\}|(?:python|node|bash|sh|dash|zsh|ruby|perl|php|deno|bun|tsx|ts-node)[\d.]*")
_CODE = (".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".go", ".rs", ".rb", ".java", ".kt", ".c", ".cc", ".php")
_LOOKS = frozenset({"test", "[", "grep", "egrep", "fgrep", "stat", "ls", "wc", "jq"})
"""Programs that only look at what they are pointed at."""
_READS_FILE = re.compile(
    r"(?P<one>-[A-Za-z]*[fL]|--(?:file|from-file|exclude-from|files0-from))|--(?:slurpfile|rawfile|argfile|arg|argjson)"
)
"""Options after which such a program is told a file that decides what it says."""
_TEST = re.compile(r"(?:test_[^/]*|[^/]*_test|[^/]*[._](?:test|spec)|[^/]*Tests?)\.[a-z]{1,4}\Z")

_LONGEST_NAME = 255
"""Bytes of one file's name, on every file system that git works on."""

Change = Literal["added", "changed", "removed"]
Contents = Callable[[str], tuple[bytes | None, bytes | None]]
"""Returns what a path held at the base commit, and holds now."""


def named_files(argv: Sequence[str], tree: Path) -> frozenset[str]:
    """Return the paths an argument list may name in a tree, links resolved: programs, scripts, modules, configuration.

    Folders do not count: a test command names the folder of tests that tracks are to add to.
    """
    found: set[str] = set()
    root = tree.resolve()
    for at, argument in enumerate(argv):
        words = [argument, argument.partition("=")[2], argument.partition("::")[0]]
        if at and argv[at - 1] == "-m":
            module = argument.replace(".", "/")
            words += [f"{module}.py", f"{module}/__main__.py", f"{module}/__init__.py"]
        for word in words:
            path = posixpath.normpath(word) if word else ""
            if not path or path == "." or not _may_lie_in_tree(path):
                continue
            if (tree / path).is_dir():
                continue
            found.add(path)
            real = (tree / path).resolve()
            if real.is_relative_to(root):
                found.add(real.relative_to(root).as_posix())
    return frozenset(found)


def _may_lie_in_tree(path: str) -> bool:
    """Tell whether a word can name something in a tree: a program given as text is longer than any file's name."""
    if path.startswith(("/", "..", "-")) or len(path) > 1000 or "\0" in path:
        return False
    return all(len(os.fsencode(part)) <= _LONGEST_NAME for part in path.split("/"))


def _script(argv: Sequence[str]) -> str | None:
    """Return what an interpreter is told to run, as a path in the tree."""
    after = False
    for argument in argv:
        if after and argument in {"-m", "-c", "-e"}:
            return None
        if after and not argument.startswith("-"):
            return posixpath.normpath(argument)
        after = after or bool(_INTERPRETER.fullmatch(posixpath.basename(argument)))
    return None


def _subjects(argv: Sequence[str]) -> frozenset[str]:
    """Return what a command is pointed at, as opposed to what it runs: source code, and all that it only looks at."""
    script = _script(argv)
    if argv and argv[0] in _LOOKS:
        deciding: set[int] = set()  # patterns that grep reads from a file, jq's program, and what it compares with
        for at, argument in enumerate(argv if argv[0] not in {"test", "["} else ()):
            if option := _READS_FILE.fullmatch(argument):
                deciding |= {at + 1} if option["one"] else {at + 1, at + 2}
        return frozenset(posixpath.normpath(word) for at, word in enumerate(argv) if at and at not in deciding)
    return frozenset(
        posixpath.normpath(path)
        for at, argument in enumerate(argv)
        if at and not argument.startswith("-") and not argv[at - 1].startswith("-")
        if (path := argument.partition("::")[0]).endswith(_CODE) and posixpath.normpath(path) != script
    ) | frozenset(posixpath.normpath(path) for path in (one.partition("::")[0] for one in argv) if is_test(path))


def is_test(path: str) -> bool:
    """Say whether a file is of tests, by its name."""
    return bool(_TEST.fullmatch(posixpath.basename(path)))


def changed_files(
    check: Check,
    tree: Path,
    changed: Mapping[str, Change],
    changed_by: Mapping[str, Sequence[str]],
    contents: Contents,
    setup: Sequence[Sequence[str]] = (),
    *,
    tests_run_twice: bool = False,
) -> tuple[Finding, ...]:
    """Return a finding for each of a check's own files that differs from the base commit, and for tests taken away.

    Args:
        check: The check.
        tree: The integrated tree.
        changed: Paths that differ between the base commit and the integrated one, and how.
        changed_by: The files each track changed.
        contents: What a path held and holds; asked only where that decides.
        setup: Commands that prepare the tree.
        tests_run_twice: Whether some check of the spec runs the base commit's tests as well.
    """
    findings: list[Finding] = []
    is_own = _Own(check, tree, contents, setup)
    others: dict[str, Change] = {}
    for path, how in changed.items():
        if not is_own(path, how):
            others[path] = how
            continue
        before, after = contents(path)
        message = f"check {check.id} rests on {path}, which {_who([path], changed_by)} {how}: "
        if decided_twice := _is_decided_twice(check, path, tests_run_twice=tests_run_twice):
            message += (
                "what passes may be another claim than before; the base commit's own is put back for a second pass"
            )
        else:
            message += (
                "it no longer checks what the spec meant; look at the change, and waive this finding if it is right"
            )
        # The contents are part of what is waived: another change of the same file is another finding.
        sources = (
            *_sources([path], changed_by),
            Source(document="base commit", pointer=path, quote=_digest(before)),
            Source(document="integrated tree", pointer=path, quote=_digest(after)),
        )
        severity = "warning" if decided_twice else "blocking"
        findings.append(Finding(rule="evidence/check-changed", severity=severity, message=message, sources=sources))
    if check.kind in {"tests", "coverage"}:
        moved = frozenset[str]() if _chosen_by_name(check.argv) else _renamed_tests(others, contents)
        findings += _tests_of_base({path: how for path, how in others.items() if path not in moved}, changed_by)
    return tuple(findings)


def _is_decided_twice(check: Check, path: str, *, tests_run_twice: bool) -> bool:
    """Say whether a file is one of those that a second pass takes from the base commit.

    For coverage another check's will do, but not for what decides which lines count.
    """
    if not is_test_settings(path) or matches_any(path, check.files):
        return False
    if isinstance(check, TestsCheck):
        return check.second_pass == "auto"  # noqa: S105 - no password
    return isinstance(check, CoverageCheck) and tests_run_twice and posixpath.basename(path) == "conftest.py"


class _Own:
    """Tells whether a changed path is one of a check's own files."""

    def __init__(self, check: Check, tree: Path, contents: Contents, setup: Sequence[Sequence[str]]) -> None:
        self._globs = (*check.files, *_READ_ANYWAY.get(check.kind, ()))
        self._only_globs = check.kind in _STARTS_PRODUCT
        argv = [*check.argv, *(check.url_command or () if isinstance(check, MigrationsCheck) else ())]
        programs = [word for one in setup for word in one if not word.endswith((".txt", ".lock", ".toml", ".json"))]
        script = _script(argv)
        self._subjects = _subjects(argv)
        self._named = (named_files(argv, tree) | named_files(programs, tree)) - self._subjects
        self._tools = tool_names([*argv, *programs], check.kind)
        self._folders = _folders(argv, tree)
        self._contents = contents
        told = tree / script if script else None
        text = told.read_bytes() if told and told.is_file() and told.stat().st_size < 5_000_000 else b""
        self._first = looked_up_first(argv, script, text)
        self._beside_script = bool(posixpath.dirname(script or ""))

    def __call__(self, path: str, how: Change) -> bool:
        if self._globs and matches_any(path, self._globs):
            return True
        if self._only_globs or path in self._subjects:
            return False
        if path in self._named:
            return True
        if path in self._first and (how == "added" or self._beside_script):
            return True
        if not may_be_settings(path, self._tools):
            return False
        everywhere = posixpath.basename(path) in {"conftest.py", "sitecustomize.py", "usercustomize.py"}
        if how == "added" and not everywhere and posixpath.dirname(path) not in self._folders:
            return False  # of a part of the project that this check does not know
        return settings_differ(path, *self._contents(path), self._tools)


def _folders(argv: Sequence[str], tree: Path) -> frozenset[str]:
    """Return the folders in which a command's tools look for settings: the tree, those it names, and those between."""
    found = {""}
    for word in argv:
        path = posixpath.normpath(word.partition("::")[0].rpartition("=")[2] or ".")
        if not _may_lie_in_tree(path) or not (tree / path).exists():
            continue
        while path not in {"", "."}:
            found.add(path)
            path = posixpath.dirname(path)
    return frozenset(found)


def _renamed_tests(changed: Mapping[str, Change], contents: Contents) -> frozenset[str]:
    """Return the removed files of tests that stand, byte for byte, under another name of the same kind beside it.

    Elsewhere a command may not find it: settings and options say which folders it looks into.
    """
    added: dict[tuple[tuple[str, ...], bytes], int] = {}
    if any(how == "removed" and is_test(path) for path, how in changed.items()):
        for path, how in changed.items():
            held = contents(path)[1] if how == "added" and is_test(path) else None
            if held is not None:
                added[_kind_of_test(path), held] = added.get((_kind_of_test(path), held), 0) + 1
    renamed: set[str] = set()
    for path, how in changed.items() if added else ():
        held = contents(path)[0] if how == "removed" and is_test(path) else None
        if held is not None and added.get((_kind_of_test(path), held)):
            added[_kind_of_test(path), held] -= 1
            renamed.add(path)
    return frozenset(renamed)


def _chosen_by_name(argv: Sequence[str]) -> bool:
    """Say whether a command chooses among tests, so that another name may leave one out."""
    return any(word.startswith(("-k", "--ignore", "--deselect", "-p", "--pattern", "-run", "-t")) for word in argv)


def _kind_of_test(path: str) -> tuple[str, ...]:
    """Return by what tools tell that a file holds tests: its folder, how its name begins or ends, its suffix."""
    folder, name = posixpath.split(path)
    stem, suffix = posixpath.splitext(name)
    mark = re.search(r"[._]?(?:test|spec|Tests?)\Z", stem)
    return folder, "test_" if stem.startswith("test_") else mark[0] if mark else "", suffix


def _tests_of_base(changed: Mapping[str, Change], changed_by: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Return what is to be said of tests that the base commit had: removed ones block, changed ones are to be seen."""
    removed = [path for path, how in changed.items() if how == "removed" and is_test(path)]
    altered = [path for path, how in changed.items() if how == "changed" and is_test(path)]
    findings: list[Finding] = []
    if removed:
        message = (
            f"{_who(removed, changed_by)} removed {counted(len(removed), 'file')} of tests that the base commit has "
            f"({first_of(removed, 5)}), so what they tested is no longer checked; waive this finding if that is meant"
        )
        sources = _sources(removed, changed_by)
        findings.append(Finding(rule="evidence/tests-removed", severity="blocking", message=message, sources=sources))
    if altered:
        message = (
            f"{_who(altered, changed_by)} changed {counted(len(altered), 'file')} of tests that the base commit has "
            f"({first_of(altered, 5)}): what passes may be another claim than before"
        )
        sources = _sources(altered, changed_by)
        findings.append(Finding(rule="evidence/tests-changed", severity="warning", message=message, sources=sources))
    return findings


def _who(paths: Collection[str], changed_by: Mapping[str, Sequence[str]]) -> str:
    tracks = [task_id for task_id, files in changed_by.items() if set(paths) & set(files)]
    return f"track {' and '.join(tracks)}" if tracks else "a track"


def _sources(paths: Sequence[str], changed_by: Mapping[str, Sequence[str]]) -> tuple[Source, ...]:
    return tuple(
        Source(document=track_document(task_id), pointer="/files_modified", quote=path)
        for task_id, files in changed_by.items()
        for path in paths
        if path in files
    )


def _digest(content: bytes | None) -> str:
    return f"sha256 {sha256(content).hexdigest()}" if content is not None else "absent"
