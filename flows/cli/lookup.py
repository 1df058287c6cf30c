"""Find what a user names: a workflow, a document, a revision; near names where it is not there; read many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from typing import TypeVar

from contexts.errors import NotFound
from contexts.store.contexts import ContextStore
from contexts.store.keys import GROUPS, TRACKS

DAMAGED = 2
"""Exit code of a list with a damaged document in it, as of every command that meets what is not what was saved."""
_READERS = 16
Wanted = TypeVar("Wanted")
Read = TypeVar("Read")


def read_all(read: Callable[[Wanted], Read], wanted: Iterable[Wanted]) -> list[Read]:
    """Read many documents at once; return what came of each, in the order they were asked for."""
    with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-read") as pool:
        return list(pool.map(read, wanted))


def revisions_of(store: ContextStore, workflow_id: str) -> dict[str, tuple[int, ...]]:
    """Return the revision numbers of all documents of a workflow that must exist.

    Raises:
        NotFound: No workflow of that name; says which names are near.
        BadIdentifier: The name cannot be one of a workflow.
    """
    found = store.revisions(workflow_id)
    if not found:
        near = _near(workflow_id, store.workflows(), "`plait list` shows what there is")
        raise NotFound(f"no workflow {workflow_id!r} in {store.identity}; {near}", workflow_id=workflow_id)
    return found


def document_named(documents: Iterable[str], name: str, workflow_id: str) -> str:
    """Return a document's full name; a track or group may be named without its folder.

    Raises:
        NotFound: The workflow has no such document.
    """
    known = sorted(documents)
    for candidate in (name, f"{TRACKS}{name}", f"{GROUPS}{name}"):
        if candidate in known:
            return candidate
    short = {entry.rpartition("/")[2]: entry for entry in known}
    near = _near(name, [*known, *short], f"it has {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}")
    raise NotFound(f"workflow {workflow_id} has no document {name!r}; {near}", workflow_id=workflow_id)


def check_revision(numbers: tuple[int, ...], revision: int, what: str) -> int:
    """Return a revision number that must be there.

    Raises:
        NotFound: It is not.
    """
    if revision not in numbers:
        shown = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
        raise NotFound(f"{what} has no revision {revision}; it has {shown}")
    return revision


def _near(name: str, known: Iterable[str], otherwise: str) -> str:
    names = list(known)
    beginning = [entry for entry in names if entry.startswith(name)][:3]
    matches = beginning or get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(matches)}?" if matches else otherwise
