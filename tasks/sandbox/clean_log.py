"""Take the values that plait handed over out of a log that stays on the machine."""

from __future__ import annotations

import os
from pathlib import Path

from contexts.redaction import clean_edges, knows_any, without_known
from tasks.sandbox.outcome import read_log
from tasks.sandbox.output import CUT


def clean_log(log: Path) -> None:
    """Write a program's log anew where it holds a known value; leave alone what is no plain file."""
    said = read_log(log) if knows_any() else None
    if said:
        _rewrite(log, said, without_known(_text(said)))


def clean_cut(log: Path) -> None:
    """Take out of a log that reached its limit what may be half a secret, on both sides of what was dropped."""
    said = read_log(log) or b""
    head, cut, tail = _text(said).partition(f"{CUT}\n")
    if cut:
        head, tail = clean_edges(head, tail)
        line_end = "\n" if head and not head.endswith("\n") else ""
        _rewrite(log, said, f"{head}{line_end}{cut}{tail}")


def _text(said: bytes) -> str:
    return said.decode("utf-8", "surrogateescape")


def _rewrite(log: Path, said: bytes, text: str) -> None:
    clean = text.encode("utf-8", "surrogateescape")
    if clean != said:
        descriptor = os.open(log, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(clean)
