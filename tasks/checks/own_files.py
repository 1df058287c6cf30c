"""A check's own files: what its command names, and whether a track changed it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from contexts.model.base import JsonObject
from contexts.model.checks import CheckBase
from tasks.checks.ran import finding, source
from tasks.walls.paths import matches_any

# What these tools read without being told to; a track that changes it changes what is checked.
_READ_ANYWAY: Mapping[str, tuple[str, ...]] = {
    "security": (".bandit", ".secrets.baseline"),
    "migrations": ("alembic.ini",),
}


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
            if not path or path.startswith(("/", "..", "-")) or path == "." or len(path) > 1000 or "\0" in path:
                continue
            if (tree / path).is_dir():
                continue
            found.add(path)
            real = (tree / path).resolve()
            if real.is_relative_to(root):
                found.add(real.relative_to(root).as_posix())
    return frozenset(found)


def changed_files(
    check: CheckBase, tree: Path, changed: Sequence[str], changed_by: Mapping[str, Sequence[str]]
) -> tuple[JsonObject, ...]:
    """Return a finding for each of a check's own files that differs from the base commit.

    Args:
        check: The check.
        tree: The integrated tree.
        changed: Paths that differ between the base commit and the integrated one.
        changed_by: The files each track changed.
    """
    argv = [*check.argv, *(getattr(check, "url_command", None) or ())]
    named = named_files(argv, tree)
    globs = (*check.files, *_READ_ANYWAY.get(getattr(check, "kind", ""), ()))
    path = getattr(check, "path", None)
    own = [one for one in changed if one != path and (one in named or (globs and matches_any(one, globs)))]
    findings: list[JsonObject] = []
    for one in own:
        tracks = [task_id for task_id, files in changed_by.items() if one in files]
        who = f"track {' and '.join(tracks)}" if tracks else "a track"
        message = (
            f"check {check.id} rests on {one}, which {who} changed: it no longer checks what the spec meant; "
            "look at the change, and waive this finding if it is right"
        )
        sources = [source(f"tracks/{task_id}", "/files_modified", one) for task_id in tracks]
        findings.append(finding("evidence/check-changed", "blocking", message, sources))
    return tuple(findings)
