"""Stop a write that is on its way once what allowed it no longer does: the fence between two owners of a workflow.

Whoever writes under a lease puts up a fence around the request. The store asks it before every try, and before what a
try sends: a request that is tried again for most of a minute, or whose connection takes long to come about, is not to
land after another run has taken over. A store that is asked without a fence asks nobody.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

from contexts.errors import StoreUnreachable


class Fence:
    """What one request may be sent under.

    Args:
        open_: Says whether it still may.

    Attributes:
        has_stopped: Whether it has stopped the request.
    """

    def __init__(self, open_: Callable[[], bool]) -> None:
        self._open = open_
        self.has_stopped = False

    def pass_(self, where: str, key: str, after: Exception | None = None) -> None:
        """Go on only while it is open.

        Raises:
            StoreUnreachable: It is closed.
        """
        if self._open():
            return
        self.has_stopped = True
        why = f"{where} does not answer ({type(after).__name__})" if after else f"{where} was long in answering"
        raise StoreUnreachable(
            f"{why}, and {key} is not sent before the lease was renewed: check the endpoint and the network", key=key
        )


_NONE = Fence(lambda: True)
_fence: ContextVar[Fence] = ContextVar("fence", default=_NONE)


@contextmanager
def fenced(open_: Callable[[], bool]) -> Generator[Fence]:
    """Let every write of this thread's block be sent only while ``open_`` says so."""
    fence = Fence(open_)
    token = _fence.set(fence)
    try:
        yield fence
    finally:
        _fence.reset(token)


def the_fence() -> Fence:
    """Return the fence around what this thread does; one that is always open where there is none."""
    return _fence.get()


class FencedBody(io.BytesIO):
    """A body that is read only while a fence is open; whoever sends it, sends it block by block."""

    def __init__(self, body: bytes, fence: Fence, where: str, key: str) -> None:
        super().__init__(body)
        self._fence = fence
        self._where = where
        self._key = key

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes.

        Raises:
            StoreUnreachable: The fence is closed.
        """
        self._fence.pass_(self._where, self._key)
        return super().read(size)


def body_to_send(body: bytes, where: str, key: str) -> bytes | FencedBody:
    """Return a body as it is to be sent: fenced where there is a fence."""
    fence = the_fence()
    return body if fence is _NONE else FencedBody(body, fence, where, key)
