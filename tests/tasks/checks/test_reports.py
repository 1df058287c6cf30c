"""Reports come from programs that tracks wrote: whatever they hold, reading them gives figures or a clear refusal."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.checks.reports import MAX_REPORT_BYTES, ReportError, parse_coverage, parse_junit, read_report, track_coverage

SUMMARY = {"num_statements": 4, "covered_lines": 2, "percent_covered": 50.0, "num_branches": 2, "covered_branches": 1}
GOOD: dict[str, Any] = {"totals": SUMMARY, "files": {"src/a.py": {"summary": SUMMARY}}}

values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})


@pytest.mark.parametrize(
    "changes",
    [
        {"num_statements": "4"}, {"covered_lines": 5}, {"covered_lines": -1}, {"num_statements": True}, {"covered_branches": 3},
        {"percent_covered": 100.5}, {"percent_covered": "99"}, {"percent_covered": None}, {"num_statements": 1e300}, {"covered_lines": 1.5},
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["totals", "files"])
def test_figures_that_cannot_be_are_refused(changes: dict[str, Any], where: str) -> None:
    wrong = {**SUMMARY, **changes}
    report = {**GOOD, "totals": wrong} if where == "totals" else {**GOOD, "files": {"src/a.py": {"summary": wrong}}}
    with pytest.raises(ReportError, match="coverage report"):
        parse_coverage(json.dumps(report).encode())


@given(st.dictionaries(st.sampled_from(list(SUMMARY)), values), st.text(max_size=8), values)
def test_a_coverage_report_of_any_content_gives_figures_or_a_refusal(changes: Any, name: str, other: Any) -> None:
    report = {"totals": {**SUMMARY, **changes}, "files": {name: {"summary": {**SUMMARY, **changes}}, "x": other}}
    raw = json.dumps(report).encode()
    try:
        found = parse_coverage(raw)
    except ReportError:
        return
    tracks = track_coverage(raw, {"api": (name, "x")}, Path("/tree"))
    for figures in (found, *tracks.values()):
        assert all(0 <= figures.get(key, 0) <= 100 for key in ("percent", "line_percent", "branch_percent"))
    json.dumps([found, tracks], allow_nan=False)


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ("<testsuite>" * 5_000 + "</testsuite>" * 5_000, "nested"),
        ('<testsuite><testcase name="a" time="soon"/></testsuite>', "cannot be read"),
        ("<testsuite>", "cannot be read"),
        ("<html/>", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_junit_report_that_cannot_be_read_says_why(report: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        parse_junit(report.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be"])
def test_an_encoding_in_which_a_document_type_could_hide_is_refused(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?><!DOCTYPE x [<!ENTITY a 'b'>]><testsuite/>"
    with pytest.raises(ReportError):
        parse_junit(text.encode(encoding))


def test_times_that_are_no_numbers_of_seconds_do_not_count() -> None:
    report = '<testsuite><testcase name="a" time="inf"/><testcase name="b" time="nan"/><testcase name="c" time="1.5"/></testsuite>'
    found = parse_junit(report.encode())
    assert (found["tests"], found["passed"], found["seconds"]) == (3, 3, 1.5)


def test_suites_within_suites_are_counted_and_what_they_claim_is_not() -> None:
    inner = (
        '<testsuite tests="90"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>'
    )
    found = parse_junit(
        f'<?xml version="1.0" encoding="utf-8"?><testsuites tests="99"><testsuite>{inner}</testsuite></testsuites>'.encode()
    )
    assert (found["tests"], found["passed"], found["failed"]) == (2, 1, 1)


def test_a_report_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "junit.xml").open("wb") as file:
        file.truncate(MAX_REPORT_BYTES + 1)
    with pytest.raises(ReportError, match="larger than 50 MB"):
        read_report(tmp_path / "junit.xml")
