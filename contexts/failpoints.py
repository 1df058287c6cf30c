"""Named points at which a test may kill the process: one hook, off by default.

Wherever something is saved, and between any two steps that must survive being torn apart, the code says
``failpoint(NAME)``. A test sets ``PLAIT_KILL_AT=NAME`` (or ``NAME:3`` for the third time), and the process ends there
as if by kill -9. All names are in `POINTS`; reaching an unknown one is an error, and a test walks all of them, so that
none can be forgotten.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

POINTS = frozenset(
    {
        "lease.taken",
        "lease.renewed",
        "lease.before-release",
        "run.opened",
        "initialize.before-save",
        "initialize.after-save",
        "track.workspace-ready",
        "track.agent-ended",
        "track.log-saved",
        "track.committed",
        "track.bundle-saved",
        "track.before-save",
        "track.after-save",
        "track.before-failure",
        "track.after-failure",
        "checkpoint.before-save",
        "checkpoint.after-save",
        "group.before-save",
        "group.after-save",
        "merge.gathered",
        "merge.integrated",
        "merge.before-save",
        "merge.after-save",
        "check.before-run",
        "check.after-run",
        "check.evidence-saved",
        "verify.decided",
        "verify.delivered",
        "verify.before-save",
        "verify.after-save",
        "deploy.staging-begun",
        "deploy.staging-ended",
        "deploy.production-recorded",
        "deploy.production-ended",
        "deploy.before-save",
        "deploy.after-save",
        "publish.done",
        "store.blob-saved",
        "store.before-document",
        "store.document-saved",
        "local.temporary-written",
        "local.linked",
        "outbox.kept",
        "outbox.before-save",
        "outbox.saved",
        "outbox.removed",
    }
)

_counts: Counter[str] = Counter()
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Mark a point; end the process here if a test asked for it.

    Raises:
        ValueError: The name is not in `POINTS`.
    """
    wanted = os.environ.get("PLAIT_KILL_AT")
    if wanted is None:
        return
    if name not in POINTS:
        raise ValueError(f"{name!r} is not a known point")
    point, _, number = wanted.partition(":")
    if name != point:
        return
    with _lock:
        _counts[name] += 1
        if _counts[name] >= int(number or 1):
            os.kill(os.getpid(), signal.SIGKILL)
