"""`plait audit`: audit context files or folders of them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given, Session

_WIDEST = 140
_SHOWN = 5
_BLOB = re.compile(r"[0-9a-f]{64}")


def _named(skipped: tuple[str, ...]) -> str:
    """Name files in one line; not the blobs of an export, which belong there."""
    from contexts.text.plural import first_of

    others = [name for name in skipped if not _BLOB.fullmatch(PurePosixPath(name).name)]
    return first_of(others, _SHOWN)


def _refuse_workflows(paths: tuple[Path, ...], session: Session) -> None:
    """Refuse a path that is not there, but whose name is that of a workflow in the store.

    Raises:
        InputError: One is; says how its documents become files.
    """
    from contexts.errors import BadIdentifier, InputError, PlaitError

    for path in paths:
        if path.exists() or len(path.parts) != 1:
            continue
        try:
            known = bool(session.contexts().revisions(str(path)))
        except BadIdentifier:
            continue
        except PlaitError:
            return  # a store that does not answer knows nothing of it; that the path is not there, is said all the same
        if known:
            raise InputError(
                f"{path} does not exist, but is a workflow in the store: `plait export {path} DIR`, "
                "then `plait audit DIR`",
                path=str(path),
            )


def audit(
    paths: Annotated[tuple[Path, ...], Parameter(negative="")],
    /,
    *,
    strict: Annotated[bool, Parameter(negative="")] = False,
    session: Given,
) -> int:
    """Audit context files, or folders of them; exit code 1 if anything found is blocking.

    Args:
        paths: Files and folders.
        strict: Also exit code 1 for warnings.
    """
    from contexts.audit import audit as audit_documents
    from contexts.audit.read_files import read_documents
    from contexts.audit.render import lines

    _refuse_workflows(paths, session)
    loaded = read_documents(paths)
    report = audit_documents(loaded.documents, loaded.findings)
    if session.as_json:
        session.emit(report.to_json())
    else:
        console = session.out()
        for line in lines(report, min(console.width, _WIDEST)):
            console.print(line, markup=False, soft_wrap=True)
    if unread := _named(loaded.skipped):
        session.note(f"plait: not read, because they are no context files: {unread}")
    return 1 if report.blocking or (strict and report.summary["warning"]) else 0
