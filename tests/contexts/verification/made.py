"""Evidence as checks leave it, and the figures in it."""

from __future__ import annotations

import json
from typing import Any

from contexts.documents.verification import Evidence

NO_TESTS = {"tests": 0, "passed": 0, "failed": 0, "errors": 0, "skipped": 0, "seconds": 0}


def ran(check: str = "unit", status: str = "passed", kind: str = "tests", **fields: Any) -> Evidence:
    """The evidence of one check."""
    given = {"check": check, "kind": kind, "status": status, "argv": ["x"], "seconds": 1, **fields}
    return Evidence.model_validate_json(json.dumps(given))


def counts(passed: int, tests: int | None = None) -> dict[str, Any]:
    """Figures of tests, of which all passed unless more were there."""
    tests = passed if tests is None else tests
    return {"tests": {**NO_TESTS, "tests": tests, "passed": passed, "failed": tests - passed}}


def coverage(percent: Any, **fields: Any) -> dict[str, Any]:
    """Figures of coverage."""
    return {"coverage": {"percent": percent, **fields}}
