"""`plait audit`: audit context files or folders of them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given

_WIDEST = 140
_SHOWN = 5
_BLOB = re.compile(r"[0-9a-f]{64}")


def _named(skipped: tuple[str, ...]) -> str:
    """Name files in one line; the blobs of an export are only counted."""
    from contexts.quantity import counted

    blobs = [name for name in skipped if _BLOB.fullmatch(PurePosixPath(name).name)]
    others = [name for name in skipped if name not in blobs]
    more = [f"{len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
    told = [", ".join(others[:_SHOWN])] if others else []
    return " and ".join([*told, *more, *([counted(len(blobs), "blob")] if blobs else [])])


def audit(paths: Annotated[tuple[Path, ...], Parameter(negative="")], /, *, session: Given) -> int:
    """Audit context files, or folders of them; exit code 1 if anything found is blocking.

    Args:
        paths: Files and folders.
    """
    from contexts.audit import audit as audit_documents
    from contexts.audit.load import load
    from contexts.audit.render import lines

    loaded = load(paths)
    report = audit_documents(loaded.documents, loaded.findings)
    if session.as_json:
        session.emit(report.to_json())
    else:
        console = session.out()
        for line in lines(report, min(console.width, _WIDEST)):
            console.print(line, markup=False, soft_wrap=True)
    if loaded.skipped:
        session.note(f"plait: not read, because they are no context files: {_named(loaded.skipped)}")
    return 1 if report.blocking else 0
