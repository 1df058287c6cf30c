"""What is only told of an outage keeps no run from stopping, hides no error, and is told once."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contexts.errors import LeaseLost
from contexts.store.contexts import ContextStore
from contexts.store.gathered import GatheredObjects
from contexts.store.outbox import Outbox
from tasks.run.outage import Outage
from tasks.run.progress import LOGGER
from tasks.run.runtime import stop_when_lost
from tests.waiting import PATIENCE


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look a hundred times a second, not twice."""
    for module in ("outage", "runtime"):
        monkeypatch.setattr(f"tasks.run.{module}._LOOK_EVERY", 0.01)


@pytest.fixture
def outage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Outage:
    """An outage of a run whose outbox leads nowhere."""
    caplog.set_level(logging.INFO, logger=LOGGER)
    loop = tmp_path / "outbox"
    loop.symlink_to(loop)
    return Outage("w", Outbox(loop, ContextStore(GatheredObjects("s3://b")), "w"), 900.0)


class Stuck:
    """What is told waits for a disk that does not answer."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.goes_on = threading.Event()

    def tell(self) -> None:
        self.asked.set()
        assert self.goes_on.wait(PATIENCE)

    over = tell


@pytest.mark.parametrize("stuck", [False, True])
def test_a_run_whose_lease_is_lost_is_stopped_whatever_becomes_of_what_is_told(outage: Outage, stuck: bool) -> None:
    telling = Stuck()
    lost, cancel = threading.Event(), threading.Event()
    run = SimpleNamespace(
        cancel=cancel, lease=SimpleNamespace(lost=lost, unsure=True), outage=telling if stuck else outage
    )
    watch = threading.Thread(target=stop_when_lost, args=(cast("Any", run),), daemon=True)
    watch.start()
    telling.asked.wait(0.05)  # a moment in which it could be held up
    lost.set()
    try:
        assert cancel.wait(PATIENCE)
    finally:
        telling.goes_on.set()
    watch.join(PATIENCE)


def test_an_outbox_that_cannot_be_read_is_told_once(outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    outage.tell()
    assert outage.entries("api") == ()
    outage.over()
    outage.tell()
    said = [record.getMessage() for record in caplog.records]
    assert sum("cannot be read" in one for one in said) == 1
    assert sum("does not answer" in one for one in said) == 2


def test_an_outbox_that_cannot_be_read_hides_no_error(outage: Outage) -> None:
    with pytest.raises(LeaseLost, match="somebody else's"), outage.told_at_end():
        raise LeaseLost("the lease is somebody else's")


def test_an_outage_is_told_until_the_run_ends(outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()
    said = iter([True, True, False])

    def unsure() -> bool:
        try:
            return next(said)
        except StopIteration:
            ended.set()
            return False

    outage.tell_while_unsure(unsure, ended)
    messages = [record.getMessage() for record in caplog.records]
    assert sum("waiting up to 15 min" in one for one in messages) == 1
    assert sum("answers again" in one for one in messages) == 1
