"""A report file that a check left: its bytes, or why there are none to read."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

MAX_REPORT_BYTES = 50_000_000


class ReportError(Exception):
    """A report that is missing or cannot be read; the text says why."""


def read_report(path: Path) -> bytes:
    """Return a report's bytes.

    Raises:
        ReportError: Missing, no plain file, or larger than 50 MB.
    """
    if path.is_symlink() or not path.is_file():
        raise ReportError(f"the check left no report {path.name}")
    if path.stat().st_size > MAX_REPORT_BYTES:
        raise ReportError(f"report {path.name} is larger than {MAX_REPORT_BYTES // 1_000_000} MB")
    return path.read_bytes()


def problem_of(error: ValidationError) -> str:
    """Return what is wrong with a report that is not of its format: the first thing, and where."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
