"""`plait audit`: audit context files or folders of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given


def audit(paths: Annotated[tuple[Path, ...], Parameter(negative="")], /, *, session: Given) -> int:
    """Audit context files, or folders of them; exit code 1 if anything found is blocking.

    Args:
        paths: Files and folders.
    """
    from contexts.audit import audit as audit_documents
    from contexts.audit import load, render

    result = audit_documents(load(paths))
    if session.as_json:
        session.emit(result.to_json())
    else:
        session.out().print(render(result), markup=False, soft_wrap=True)
    return 1 if result.blocking else 0
