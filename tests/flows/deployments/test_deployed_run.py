"""What a worker's log says of how a deployed run ended: a sentence for what ends on purpose, a traceback for a defect."""

import logging

import pytest
from prefect.exceptions import MissingResult, ObjectNotFound

from contexts.documents.refs import ContextRef
from contexts.errors import PlaitError
from flows.deployments.deployed_run import _Sentences


def told(error: Exception, message: str = "Engine execution exited with unexpected exception") -> logging.LogRecord:
    record = logging.LogRecord("prefect.engine", logging.ERROR, __file__, 1, message, (), (type(error), error, None))
    assert _Sentences().filter(record)
    return record


def test_what_ends_on_purpose_is_a_sentence() -> None:
    record = told(PlaitError("this worker may not use the spec"))
    assert (record.getMessage(), record.exc_info) == ("this worker may not use the spec", None)


def test_a_failed_state_that_holds_a_context_is_no_defect() -> None:
    ref = ContextRef(workflow_id="w", document="context", revision=1, sha256="0" * 64, size=2)
    why = f"Unexpected result for failed state: {ref!r} \u2014\u2014 ContextRef cannot be resolved into an exception"
    assert told(TypeError(why)).exc_info is None


@pytest.mark.parametrize("error", [MissingResult("State data is missing."), ObjectNotFound(ValueError("404"))])
def test_a_server_that_lost_the_end_or_the_run_is_no_defect(error: Exception) -> None:
    assert told(error).exc_info is None


@pytest.mark.parametrize(
    "error", [TypeError("'ContextRef' object is not subscriptable"), ValueError("no"), KeyError("x")]
)
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    record = told(error)
    assert record.exc_info is not None
    assert record.getMessage().startswith("Engine execution exited")
