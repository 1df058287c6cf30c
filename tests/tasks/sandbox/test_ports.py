"""Ports are free, distinct, and lent to one track at a time."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from contexts.errors import PortsExhausted
from tasks.sandbox import ports
from tasks.sandbox.ports import free_ports, lend_ports

pytestmark = pytest.mark.usefixtures("outside")


def test_ports_can_be_listened_on() -> None:
    for port in free_ports(3):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            listener.listen()


def test_concurrent_tracks_never_share_a_port() -> None:
    with ThreadPoolExecutor(16) as pool:
        lent = [port for one in pool.map(lambda _: lend_ports(10), range(30)) for port in one.ports]
    assert len(set(lent)) == 300


def test_a_released_port_may_be_lent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports(1)[0]
    with lend_ports(1) as lent:
        only = lent.ports[0]
        assert only != first
        monkeypatch.setattr(ports, "_FIRST", only)
        monkeypatch.setattr(ports, "_LAST", only + 1)
        with pytest.raises(PortsExhausted, match="only 0 of 1"):
            lend_ports(1)
    with lend_ports(1) as again:
        assert again.ports == (only,)


def test_a_port_somebody_listens_on_is_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    with lend_ports(1) as lent:
        port = lent.ports[0]
    monkeypatch.setattr(ports, "_FIRST", port)
    monkeypatch.setattr(ports, "_LAST", port + 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        with pytest.raises(PortsExhausted, match="only 0 of 1"):
            lend_ports(1)
