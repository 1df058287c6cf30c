"""Lend free loopback ports to tracks, never one port to two of them at a time."""

from __future__ import annotations

import random
import socket
import threading
from types import TracebackType
from typing import Self

from contexts.errors import PortsExhausted

# Below the range from which systems take ports for outgoing connections (32768 on Linux), so that none of those steals
# a port between the moment it is lent and the moment the track listens on it.
_FIRST, _LAST = 20_000, 32_000
_lent: set[int] = set()
_lock = threading.Lock()


class LentPorts:
    """Some ports, and the duty to give them back; a context manager."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self.ports = ports

    def release(self) -> None:
        """Give the ports back; a second time does nothing."""
        with _lock:
            _lent.difference_update(self.ports)
        self.ports = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lend_ports(n: int) -> LentPorts:
    """Lend ``n`` distinct TCP ports that nobody listens on now.

    Raises:
        PortsExhausted: Fewer than ``n`` are free; they may be later.
    """
    found: list[int] = []
    if n == 0:  # most tracks: shuffling the range for them would cost more than all else here
        return LentPorts(())
    with _lock:
        for port in random.sample(range(_FIRST, _LAST), _LAST - _FIRST):
            if len(found) == n:
                break
            if port not in _lent and _is_free(port):
                found.append(port)
        if len(found) < n:
            reason = (
                f"only {len(found)} of {n} loopback ports are free between {_FIRST} and {_LAST - 1}: ask for fewer, or "
                "end what listens there, and run again"
            )
            raise PortsExhausted(reason)
        _lent.update(found)
    return LentPorts(tuple(found))


def free_ports(n: int) -> tuple[int, ...]:
    """Return ``n`` distinct free ports that stay lent until this process ends."""
    return lend_ports(n).ports


def _is_free(port: int) -> bool:
    for address in ("127.0.0.1", ""):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
