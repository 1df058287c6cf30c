"""`plait history`: every revision of a workflow's documents."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flows.cli.session import Given

_WIDE = 100


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
    from contexts.json.values import text
    from flows.cli.lookup import DAMAGED, read_all, revisions_of

    store = session.contexts()
    wanted = [(name, number) for name, numbers in revisions_of(store, workflow_id).items() for number in numbers]

    def look(one: tuple[str, int]) -> _Revision:
        name, number = one
        try:
            ref, said = store.load_revision(workflow_id, name, number)
        except (DocumentError, NotFound) as error:
            return _Revision(name, number, damaged=error.message)
        timestamp, agent, phase = (text(said.get(member)) for member in ("timestamp", "current_agent", "phase"))
        return _Revision(name, number, timestamp, agent, phase, ref.size, ref.sha256)

    rows = read_all(look, wanted)
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
    return DAMAGED if damaged else 0


def _as_json(row: _Revision) -> object:
    if row.damaged is not None:
        return {"document": row.document, "revision": row.revision, "damaged": row.damaged}
    return {name: value for name, value in asdict(row).items() if name != "damaged"}
