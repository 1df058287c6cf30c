"""Lines that tell a tool to look away are named, whoever wrote them and however they end."""

from typing import Any

import pytest

from contexts.documents.findings import Finding, Source
from tasks.checks.silenced_warnings import silenced
from tests.tasks.checks.conftest import make_check

SECURITY = {"kind": "security"}
COVERAGE = {"kind": "coverage", "argv": ("true",)}


def said(check: dict[str, Any], *lines: str) -> list[Finding]:
    added = [("src/a.py", number, text) for number, text in enumerate(lines, 1)]
    return silenced(make_check(**check), added, {"api": ("src/a.py",), "web": ("static/a.js",)})


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (SECURITY, "run(command, shell=True)  # nosec"),
        (SECURITY, "run(command, shell=True)  #nosec B602"),
        (SECURITY, "key = '...'  # pragma: allowlist secret"),
        (COVERAGE, "if broken:  # pragma: no cover"),
        (COVERAGE, "/* istanbul ignore next */"),
    ],
)
def test_a_line_that_silences_a_tool_is_named(check: dict[str, Any], line: str) -> None:
    (one,) = said(check, "import os", line)
    assert (one.rule, one.severity) == ("evidence/silenced", "warning")
    assert one.message == "track api tells the tools of check this to look away on 1 line: src/a.py:2"
    assert one.sources == (Source(document="src/a.py", pointer="line 2", quote=line),)


@pytest.mark.parametrize("check", [SECURITY, COVERAGE])
def test_other_lines_are_not(check: dict[str, Any]) -> None:
    assert said(check, "nosecrets = 1", "# no cover charge", "# a nosec-free zone is not said here") == []


def test_a_kind_without_such_marks_reads_no_line() -> None:
    assert silenced(make_check(argv=("true",)), iter(()), {}) == []
