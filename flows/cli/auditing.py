"""`plait audit`: audit context files or folders of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given

_WIDEST = 140
_SHOWN = 10


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
        more = f" and {len(loaded.skipped) - _SHOWN} more" if len(loaded.skipped) > _SHOWN else ""
        session.note(f"plait: not read, because they are no context files: {', '.join(loaded.skipped[:_SHOWN])}{more}")
    return 1 if report.blocking else 0
