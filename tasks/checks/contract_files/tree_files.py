"""Files of the integrated tree: read without leaving it, bounded, parsed where they are JSON or YAML."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import Any

from contexts.errors import SpecError
from contexts.spec.json_text import read_json
from contexts.spec.yaml_text import read_yaml

MAX_FILE_BYTES = 5_000_000
_PARSED = {".json", ".yaml", ".yml"}


class Unread(Exception):
    """A file that cannot be read; the text says why, and what would help."""


def read_text(tree: Path, path: str) -> str:
    """Return the text of a file of a tree.

    Args:
        tree: The tree's folder.
        path: The file, from there.

    Raises:
        Unread: It is not there, lies outside, is no regular file, is too large, or is no UTF-8.
    """
    root = tree.resolve()
    try:
        file = (root / path).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise Unread("the integrated tree has no such file") from error
    if not file.is_relative_to(root) or ".git" in file.relative_to(root).parts:
        raise Unread("it leads out of the tree")
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as opened:  # noqa: PTH123 - a pipe must not block
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise Unread("it is no regular file")
            body = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Unread("it is no regular file" if file.is_dir() else f"{error.strerror}") from error
    if len(body) > MAX_FILE_BYTES:
        raise Unread(f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unread("it is not UTF-8") from error


def is_parsed(path: str) -> bool:
    """Tell by its ending whether a file is JSON or YAML."""
    return PurePosixPath(path).suffix.lower() in _PARSED


def parse(text: str, path: str) -> Any:
    """Return the value of a JSON or YAML text; what has no ending of JSON is YAML, which JSON is a part of.

    Raises:
        Unread: It is neither, or it is deeper or has more aliases than is read.
    """
    try:
        if PurePosixPath(path).suffix.lower() == ".json":
            return read_json(text, path).value
        return read_yaml(text, path, text_keys=True).value
    except SpecError as error:
        raise Unread(error.message) from error
