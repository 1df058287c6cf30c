"""Saves of different documents go side by side, those of one document one after another, and none after the end."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.run.save_locks import Saves
from tests.waiting import PATIENCE


def test_different_documents_are_saved_side_by_side() -> None:
    saves = Saves()
    together = threading.Barrier(8)

    def save(name: str) -> bool:
        with saves.of(name) as may_save:
            together.wait(PATIENCE)  # reached by all only if none waits for another
            return may_save

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(save, [f"tracks/{number}" for number in range(8)]))


def test_one_document_is_saved_by_one_thread_at_a_time() -> None:
    saves = Saves()
    inside: list[int] = []
    most: list[int] = []

    def save(number: int) -> None:
        for _ in range(50):
            with saves.of("context"):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(8)))
    assert (len(most), max(most)) == (400, 1)


def test_the_end_waits_for_what_is_under_way_and_lets_nothing_begin() -> None:
    saves = Saves()
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow() -> bool:
        with saves.of("context") as may_save:
            begun.set()
            return go_on.wait(PATIENCE) and may_save

    def queued() -> bool:
        with saves.of("context") as may_save:
            return may_save

    def close() -> None:
        saves.close()
        ended.set()

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(slow)
        assert begun.wait(PATIENCE)
        second = pool.submit(queued)
        closing = pool.submit(close)
        assert second.result(PATIENCE) is False, "whoever waited for its turn is told that it is too late"
        assert not ended.is_set()
        go_on.set()
        assert first.result(PATIENCE) is True
        closing.result(PATIENCE)
    with saves.of("other") as may_save:
        assert may_save is False


def test_a_save_that_failed_frees_its_document() -> None:
    saves = Saves()
    with pytest.raises(OSError, match="disk"), saves.of("context"):
        raise OSError("disk full")
    with saves.of("context") as may_save:
        assert may_save
    saves.close()
