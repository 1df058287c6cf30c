"""`plait list`: the workflows of a store."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.store.contexts import ContextStore


@dataclass(frozen=True, slots=True)
class _Workflow:
    """One workflow of the store, as its newest context says."""

    workflow_id: str
    phase: str | None
    status: str | None
    timestamp: str | None
    documents: int = 0
    revisions: int = 0


def list_workflows(*, session: Given) -> int:
    """List the workflows of the store: newest phase, status, revisions and time; exit code 2 if one is damaged."""
    from contexts.store.keys import DOCUMENTS, read_key
    from flows.cli.lookup import DAMAGED, read_all

    store = session.contexts()
    counts: dict[str, dict[str, int]] = {}
    for entry in store.objects.list(DOCUMENTS):
        named = read_key(entry.key)
        if named:
            workflow_id, document, _ = named
            held = counts.setdefault(workflow_id, {})
            held[document] = held.get(document, 0) + 1

    def look(workflow_id: str) -> _Workflow:
        held = counts[workflow_id]
        return replace(_newest(session, store, workflow_id), documents=len(held), revisions=sum(held.values()))

    rows = read_all(look, counts)
    rows.sort(key=lambda row: str(row.timestamp or ""), reverse=True)
    code = DAMAGED if any(row.status == "damaged" for row in rows) else 0
    if session.as_json:
        session.emit({"store": store.identity, "workflows": [asdict(row) for row in rows]})
        return code
    if not rows:
        session.note(f"no workflows in {store.identity}; `plait init` scaffolds one, `plait run SPEC` runs it")
        return 0
    from flows.cli.terminal.tables import instant, print_table

    print_table(
        session.out(),
        ("workflow", "phase", "status", "docs", "revs", "saved"),
        [
            (row.workflow_id, row.phase, row.status, str(row.documents), str(row.revisions), instant(row.timestamp))
            for row in rows
        ],
        right=("docs", "revs"),
        cut=("phase",),
    )
    return code


def _newest(session: Given, store: ContextStore, workflow_id: str) -> _Workflow:
    from contexts.errors import DocumentError, NotFound
    from contexts.json.values import section, text

    try:
        found = store.latest(workflow_id)
    except (DocumentError, NotFound) as error:
        # One damaged workflow must not hide the others.
        session.note(f"plait: {workflow_id} is damaged: {error.message}; `plait store check {workflow_id}` says more")
        return _Workflow(workflow_id, None, "damaged", None)
    if found is None:
        return _Workflow(workflow_id, None, "no context document", None)
    # The models take longer to load than the documents take to read.
    said = found.document
    status = text(section(said, "run").get("status")) or text(said.get("status")) or None
    phase, timestamp = text(said.get("phase")) or None, text(said.get("timestamp")) or None
    return _Workflow(workflow_id, phase, _status(store, workflow_id, status), timestamp)


def _status(store: ContextStore, workflow_id: str, status: str | None) -> str | None:
    """Return a workflow's status; a run that its document calls running may have been stopped since."""
    from contexts.errors import PlaitError
    from contexts.leases.record import read_lease

    if status != "running":
        return status
    try:
        lease = read_lease(store.objects, workflow_id)
    except PlaitError:
        return status  # `plait store check` says what is wrong with the lease
    if lease is None:
        return status
    return "interrupted" if lease.end_reason or lease.holder_is_gone() else status
