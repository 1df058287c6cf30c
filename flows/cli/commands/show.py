"""`plait list`, `show` and `history`: look at what is stored."""

from __future__ import annotations

import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.session import Given, write_json

if TYPE_CHECKING:
    from contexts.store.contexts import ContextStore

_READERS = 16
_WIDE = 100
_DAMAGED = 2
"""As for every other command that meets a document which is not what was saved."""


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

    with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-list") as pool:
        rows = list(pool.map(look, counts))
    rows.sort(key=lambda row: str(row.timestamp or ""), reverse=True)
    code = _DAMAGED if any(row.status == "damaged" for row in rows) else 0
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


def show(
    workflow_id: str,
    doc: str = "context",
    /,
    *,
    revision: Annotated[int | None, Parameter(name=["--revision", "-r"])] = None,
    full: Annotated[
        bool, Parameter(negative="", show_default=False, help="The whole document, also on a terminal.")
    ] = False,
    session: Given,
) -> int:
    """Print a stored document with everything it refers to by digest put back in place; on a terminal its outline.

    Args:
        workflow_id: The workflow.
        doc: context, tracks/TASK_ID or groups/GROUP_ID; a bare TASK_ID or GROUP_ID is found too.
        revision: Number of the save; default: the newest.
    """
    from contexts.documents.codec import CHECKSUM
    from contexts.merge import expand_tracks
    from flows.cli.lookup import check_revision, document_named, revisions_of

    store = session.contexts()
    held = revisions_of(store, workflow_id)
    name = document_named(held, doc, workflow_id)
    number = held[name][-1] if revision is None else check_revision(held[name], revision, f"{workflow_id}/{name}")
    _, document = store.load_revision(workflow_id, name, number)
    whole = expand_tracks(store, document)
    # The checksum is that of the stored form, not of what is printed here.
    whole.pop(CHECKSUM, None)
    if session.as_json:
        session.emit(whole)
    elif full or not sys.stdout.isatty():
        write_json(whole)
    else:
        from flows.cli.terminal.outline import print_outline

        asked = [workflow_id, *([doc] if doc != "context" else ()), *(["-r", str(number)] if revision else ())]
        store_option = ["--store", session.store_url] if session.store_url else []
        again = shlex.join(["plait", "show", *asked, "--full", *store_option])
        print_outline(session.out(), f"{workflow_id}/{name}@{number}", whole, whole=again)
    return 0


@dataclass(frozen=True, slots=True)
class _Revision:
    """One revision of a document; of one that cannot be read no more than why."""

    document: str
    revision: int
    timestamp: str | None = None
    agent: str | None = None
    phase: str | None = None
    size: int | None = None
    sha256: str = ""
    damaged: str | None = None


def history(workflow_id: str, /, *, session: Given) -> int:
    """List every revision of a workflow's documents: number, time, agent, phase, size, digest; 2 if one is damaged.

    Args:
        workflow_id: The workflow.
    """
    from contexts.errors import DocumentError, NotFound
    from flows.cli.lookup import revisions_of

    store = session.contexts()
    wanted = [(name, number) for name, numbers in revisions_of(store, workflow_id).items() for number in numbers]

    def look(one: tuple[str, int]) -> _Revision:
        name, number = one
        try:
            ref, said = store.load_revision(workflow_id, name, number)
        except (DocumentError, NotFound) as error:
            return _Revision(name, number, damaged=error.message)
        agent, phase = said.get("current_agent"), said.get("phase")
        return _Revision(name, number, said.get("timestamp"), agent, phase, ref.size, ref.sha256)

    with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-history") as pool:
        rows = list(pool.map(look, wanted))
    rows.sort(key=lambda row: (row.document != "context", row.document, row.revision))
    damaged = [row.damaged for row in rows if row.damaged is not None]
    if session.as_json:
        session.emit({"workflow_id": workflow_id, "revisions": [_as_json(row) for row in rows]})
    else:
        from contexts.text.amounts import size
        from flows.cli.terminal.tables import instant, print_table

        console = session.out()
        # The agent is what a narrow terminal can do without.
        agent = console.width >= _WIDE
        print_table(
            console,
            ("document", "rev", "saved", *(("agent",) if agent else ()), "phase", "size", "sha256"),
            [
                (
                    row.document,
                    str(row.revision),
                    instant(row.timestamp),
                    *((row.agent,) if agent else ()),
                    row.phase if row.damaged is None else "damaged",
                    size(row.size),
                    row.sha256[:8],
                )
                for row in rows
            ],
            right=("rev", "size"),
            cut=("agent", "phase"),
        )
    for message in damaged:
        session.note(f"plait: {message}")
    return _DAMAGED if damaged else 0


def _as_json(row: _Revision) -> object:
    if row.damaged is not None:
        return {"document": row.document, "revision": row.revision, "damaged": row.damaged}
    return {name: value for name, value in asdict(row).items() if name != "damaged"}
