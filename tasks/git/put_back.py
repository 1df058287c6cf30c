"""A commit in which some paths are as another one has them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tasks.git.trusted_git import TrustedGit


def put_back(git: TrustedGit, commit: str, base: str, paths: Sequence[str]) -> str:
    """Return a commit that is like one but for some paths, which are as at the base: its content, or not there.

    Args:
        git: The orchestrator's git.
        commit: The commit it is like.
        base: Where the paths are taken from.
        paths: Files, relative to the root.
    """
    names = [os.fsencode(path) for path in paths]
    wanted = set(names)
    listed = git.run("ls-tree", "-r", "-z", base).split(b"\0")[:-1]
    held = [entry for entry in listed if entry.partition(b"\t")[2] in wanted]
    nothing = b"0" * len(commit)
    # What is taken out comes first: a folder may have become a file.
    entries = [b"0 %s\t%s" % (nothing, name) for name in names]
    for entry in held:
        mode, _, blob = entry.partition(b"\t")[0].split(b" ")
        entries.append(b"%s %s\t%s" % (mode, blob, entry.partition(b"\t")[2]))
    index = git.room() / f"put-back-{os.getpid()}-{os.urandom(8).hex()}"
    try:
        git.run("read-tree", commit, index=index)
        git.run("update-index", "-z", "--replace", "--index-info", index=index, stdin=b"\0".join([*entries, b""]))
        tree = os.fsdecode(git.run("write-tree", index=index)).strip()
    finally:
        index.unlink(missing_ok=True)
    return git.text("commit-tree", tree, "-p", commit, "-m", "The base commit's tests over the merged product")


def diff_of(git: TrustedGit, before: str, after: str, path: str | None = None) -> bytes:
    """Return the unified diff from one commit to another, of one path or of all."""
    # On the command line a path could be taken for an option or a pattern.
    only = [] if path is None else ["--", f":(top,literal){path}"]
    options = ("-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv")
    return git.run("diff-tree", *options, before, after, *only)
