"""What the feature flow was asked for, as the process that starts it knows.

Prefect keeps a flow run's parameters, and shows them. So the credentials of a repository's URL are taken out of them,
and the flow that is run in this process reads here what was meant.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar

from contexts.redaction import know_values_of, redact_text
from contexts.spec.request import RunRequest

_ASKED: ContextVar[RunRequest | None] = ContextVar("plait-asked", default=None)


@contextlib.contextmanager
def asking(request: RunRequest) -> Generator[RunRequest]:
    """Give a request as everybody may see it to whoever starts the flow in this block."""
    token = _ASKED.set(request)
    try:
        yield _shown(request)
    finally:
        _ASKED.reset(token)


def meant(request: RunRequest) -> RunRequest:
    """Return what was asked for in this process, where that is what the flow was given; else what it was given."""
    asked = _ASKED.get()
    return asked if asked and _shown(asked) == _shown(request) else request


def _shown(request: RunRequest) -> RunRequest:
    know_values_of(None, request.repository)
    repository = None if request.repository is None else redact_text(request.repository).text
    return request.model_copy(update={"repository": repository})
