"""Documents whose fields are of another kind than expected: written elsewhere, or by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from contexts.documents.codec import digest
from contexts.documents.refs import ContextRef
from contexts.errors import DocumentError
from contexts.store.contexts import ContextStore
from tasks.report import build_report
from tests.tasks.report.stored import new_store, put_deployed_run, put_run

ODD = (None, -7, "odd", [None, 3, "odd", {}, []], {"odd": [1]})
HEAD = {"version", "workflow_id", "timestamp", "current_agent", "phase", "_checksum"}


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if (
        path and path[0] not in HEAD and path[-2:-1] != ("ref",)
    ):  # a reference that leads nowhere is an error of its own
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in children:
        yield from _places(one, (*path, key))


def _changed(body: bytes, path: tuple[str | int, ...], odd: object) -> Any:
    document = orjson.loads(body)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return document


class OneDocument(ContextStore):
    """The store, with another final document than the one it holds."""

    def __init__(self, store: ContextStore, final: ContextRef, document: Any) -> None:
        super().__init__(store.objects)
        self._final, self._document = final, document

    def load(self, ref: ContextRef) -> Any:
        return self._document if ref == self._final else super().load(ref)


def report_of(store: ContextStore, final: ContextRef, document: Any) -> None:
    """Build the report of another document; its reference has the checksum of no other, as typed ones are kept by it."""
    ref = final.model_copy(update={"sha256": digest(document)})
    build_report(OneDocument(store, ref, document), ref)


Made = tuple[ContextStore, ContextRef, bytes]


@pytest.fixture(scope="module", params=[put_run, put_deployed_run], ids=["partial", "deployed"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder: Path = tmp_path_factory.mktemp("odd")
    store = new_store(folder)
    final = request.param(store)
    return store, final, orjson.dumps(store.load(final))


@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.soak) for turn in range(1, len(ODD)))], ids="turn {}".format
)
def test_a_field_of_another_kind_is_in_the_report_or_refused_by_its_place(made: Made, turn: int):
    store, final, body = made
    stopped: list[str] = []
    told = 0
    # A report for every field; in every turn each has another of the kinds.
    for number, path in enumerate(_places(orjson.loads(body)), turn):
        odd = ODD[number % len(ODD)]
        try:
            report_of(store, final, _changed(body, path, odd))
            told += 1
        except DocumentError as error:  # no such document gets into a store by an import
            if "is not a valid context: /" not in error.message:
                stopped.append(f"{path} = {odd!r}: {error!r}")
        except Exception as error:  # noqa: BLE001 all of them are listed, and the test fails if there is any
            stopped.append(f"{path} = {odd!r}: {error!r}")
    assert stopped == []
    assert told


def test_a_field_that_is_absent_never_stops_the_report(made: Made):
    store, final, body = made
    stopped: list[str] = []
    required: list[str] = []
    told = 0
    for path in _places(orjson.loads(body)):
        document = orjson.loads(body)
        place = document
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        try:
            report_of(store, final, document)
            told += 1
        except DocumentError as error:
            required.append(error.message)
        except Exception as error:  # noqa: BLE001 same
            stopped.append(f"{path}: {error!r}")
    assert stopped == []
    assert all("Field required" in one for one in required)
    assert told > len(required)
