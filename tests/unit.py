"""Unit tests: those that start no process and open no socket, told by what they use and held to it while they run.

A test is one unless it uses the fixture `outside`, or belongs to a suite that needs servers. Fixtures that start something
use it; folders of nothing but such tests use it in their conftest; a test that starts something by itself says
`@pytest.mark.usefixtures("outside")`. Nobody keeps a list: a unit test that reaches outside fails, wherever it runs.
"""

import os
import socket
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import urllib3.util.connection  # noqa: F401 it tries once, when it is imported, whether the machine has IPv6

SUITES = {"deploy", "chaos", "stores", "ui", "clients"}
"""Markers, and names of folders, of the suites that need servers, browsers or programs of others."""
HERE = Path(__file__).parent
STARTS = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen",
}  # fmt: skip
REACHES = {"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}


def is_unit(item: pytest.Item) -> bool:
    """Say whether a test needs nothing but this process and its files."""
    names: list[str] = getattr(item, "fixturenames", [])
    folders = item.path.relative_to(HERE).parts if item.path.is_relative_to(HERE) else ()
    belongs = {mark.name for mark in item.iter_markers()} | set(folders)
    return "outside" not in names and SUITES.isdisjoint(belongs)


def _leave_to_the_disk(_: int) -> None:
    """Stand for `os.fsync` in unit tests: no test of this process can tell whether a disk has what it was given."""


class Guard:
    """Hears of every process and socket by Python's audit events, and refuses them to a unit test."""

    def __init__(self) -> None:
        self.test: str | None = None
        self.known: frozenset[int] = frozenset()
        self.reached: str | None = None
        self.fsync = os.fsync
        sys.addaudithook(self.hear)  # for good: there is no way to take one away

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse what a unit test starts or opens, in whatever thread, but for threads that were there before it."""
        if self.test is None:
            return
        if event == "socket.__new__":
            opens = arguments[1] in {socket.AF_INET, socket.AF_INET6}  # asyncio has a pair of local ones in every loop
        else:
            opens = event in STARTS or event in REACHES
        if opens and threading.get_ident() not in self.known:
            self.reached = event
            raise AssertionError(
                f"{self.test} is a unit test, and reaches outside ({event}): give it the fixture `outside`"
            )

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Mark the unit tests, so that `-m unit` finds them."""
        if is_unit(item):
            item.add_marker(pytest.mark.unit)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Listen while a unit test runs."""
        if is_unit(item):
            mine = threading.get_ident()
            self.known = frozenset(one.ident for one in threading.enumerate() if one.ident and one.ident != mine)
            self.test, self.reached = item.nodeid, None
            os.fsync = _leave_to_the_disk
        try:
            return (yield)
        finally:
            self.test = self.reached = None
            os.fsync = self.fsync

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Fail a test that reached outside also where the refusal was caught."""
        result = yield
        if self.reached:
            pytest.fail(f"{self.test} is a unit test, and reached outside: {self.reached}", pytrace=False)
        return result
