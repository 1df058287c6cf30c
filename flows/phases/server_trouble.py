"""Tell a Prefect server in trouble from a defect, in what Prefect's client and engine raise."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from prefect.concurrency._asyncio import ConcurrencySlotAcquisitionError
from prefect.exceptions import ObjectNotFound

from contexts.redaction import head_of

_UNREACHABLE = ("Failed to reach API", "Prefect API server")
"""How Prefect's client begins what it says of a server it cannot reach, for which it has no class of its own."""


def is_server_trouble(error: BaseException) -> bool:
    """Say whether an error is the server's: away, slow, locked, or restarting."""
    return any(_is_trouble(one) for one in _causes(error))


def _is_trouble(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code in {404, 408, 423, 429}
    if isinstance(error, RuntimeError):
        return any(words in str(error) for words in _UNREACHABLE)
    return isinstance(error, httpx.HTTPError | ConcurrencySlotAcquisitionError | ObjectNotFound)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def server_said(error: BaseException) -> str:
    """Return what the server, or the lack of one, came to, on one line."""
    first = next(one for one in _causes(error) if _is_trouble(one))
    said = " ".join(str(first).split()) or type(first).__name__
    return head_of(said, 200)
