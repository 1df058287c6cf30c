"""`plait store check`: verify digests, sequence and references of a store."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from flows.cli.session import Given


def check(workflow_id: str | None = None, /, *, session: Given) -> int:
    """Verify every digest, the sequence of revisions and every reference; exit code 1 if anything is wrong.

    Args:
        workflow_id: Only this workflow; default: all.
    """
    from contexts.store.integrity import check_store
    from contexts.text.plural import and_more, counted
    from flows.cli.lookup import revisions_of

    store = session.contexts()
    if workflow_id is not None:
        revisions_of(store, workflow_id)
    checked = check_store(store.objects, workflow_id)
    wrong = [trouble for trouble in checked.troubles if trouble.severity == "blocking"]
    notes = [trouble for trouble in checked.troubles if trouble.severity == "note"]
    if session.as_json:
        session.emit(
            {
                "store": store.identity,
                "workflows": checked.workflows,
                "documents": checked.documents,
                "blobs": checked.blobs,
                "problems": [{"severity": trouble.severity, **asdict(trouble)} for trouble in checked.troubles],
            }
        )
        return 1 if wrong else 0
    console = session.out()
    for trouble in wrong:
        console.print(f"[red]{trouble.problem}[/]  ", end="")
        console.print(trouble.message, markup=False, soft_wrap=True)
        console.print(f"    {trouble.advice}", style="dim", markup=False, soft_wrap=True)
    for problem, count in sorted(Counter(note.problem for note in notes).items()):
        first = next(note for note in notes if note.problem == problem)
        more = f" ({and_more(count - 1)})" if count > 1 else ""
        console.print(f"[dim]{problem}[/]  ", end="")
        console.print(f"{first.message}{more}; {first.advice}", markup=False, soft_wrap=True)
    console.print(
        f"{counted(checked.workflows, 'workflow')}, {counted(checked.documents, 'document')}, "
        f"{counted(checked.blobs, 'blob')}: " + (counted(len(wrong), "problem") if wrong else "all as it was saved"),
        style="red" if wrong else "green",
        soft_wrap=True,
    )
    return 1 if wrong else 0
