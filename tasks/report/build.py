"""Build the report of a final context."""

from __future__ import annotations

from contexts.documents.refs import ContextRef
from contexts.store.contexts import ContextStore
from tasks.report.gather import gather
from tasks.report.render import render_report


def build_report(store: ContextStore, final: ContextRef) -> bytes:
    """Return the report of a run as one self-contained HTML file, UTF-8.

    Args:
        store: Where the run's documents and logs are.
        final: The workflow's context as the last phase saved it; an unfinished one gives a report of what is known.

    Raises:
        NotFound: The final context, or a track document it names, is not in the store.
        ChecksumMismatch: One of them is not what was saved.
    """
    return render_report(gather(store, final)).encode()
