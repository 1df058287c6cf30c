"""Reports come from programs that tracks wrote: whatever they hold, reading them gives figures or a clear refusal."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.documents.figures import TestFailure
from tasks.checks.coverage.read import parse_coverage, placed, read_coverage, track_coverage
from tasks.checks.junit import parse_junit
from tasks.checks.report_file import MAX_REPORT_BYTES, ReportError, read_report

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
    tracks = track_coverage(placed(read_coverage(raw), Path("/tree")), {"api": (name, "x")})
    for share in (found, *tracks.values()):
        figures = share.to_json()
        assert all(0 <= figures.get(key, 0) <= 100 for key in ("percent", "line_percent", "branch_percent"))
        json.dumps(figures, allow_nan=False)


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ("<testsuite>" * 5_000 + "</testsuite>" * 5_000, "nested"),
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


def counts(report: str) -> tuple[int, int, int, int, int]:
    """Tests, passed, failed, errors, skipped."""
    found = parse_junit(report.encode())
    return found.tests, found.passed, found.failed, found.errors, found.skipped


CASE = '<testcase name="a"/>'
BAD = '<testcase name="b" classname="c"><failure message="no"/></testcase>'


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(f"<testsuites>{BAD}<testsuite name='s'>{CASE}</testsuite></testsuites>", (2, 1, 1, 0, 0), id="beside suites"),
        pytest.param(f"<testsuites>{CASE}{CASE}</testsuites>", (2, 2, 0, 0, 0), id="without suites, under one name"),
        pytest.param(f"<testsuite>{CASE}{BAD}</testsuite>", (2, 1, 1, 0, 0), id="one suite"),
        pytest.param(f'<testsuites xmlns="urn:x"><testsuite>{CASE}{BAD}</testsuite></testsuites>', (2, 1, 1, 0, 0), id="a namespace"),
        pytest.param('<j:testsuites xmlns:j="urn:x"><j:testsuite><j:testcase/></j:testsuite></j:testsuites>', (1, 1, 0, 0, 0), id="a prefix, no attributes"),
        pytest.param(f"<testsuite><group>{BAD}</group></testsuite>", (1, 0, 1, 0, 0), id="in an element of a tool's own"),
        pytest.param("<testsuite><error message='build failed'/></testsuite>", (1, 0, 0, 1, 0), id="a suite's error"),
        pytest.param(f"<testsuites><failure>died</failure><testsuite>{CASE}</testsuite></testsuites>", (2, 1, 1, 0, 0), id="a failure of all"),
        pytest.param(f"<testsuite><testsuite><error/></testsuite>{CASE}</testsuite>", (2, 1, 0, 1, 0), id="an inner suite's error"),
        pytest.param('<testsuite><testcase status="notrun" result="suppressed"/></testsuite>', (1, 0, 0, 0, 1), id="disabled"),
        pytest.param('<testsuite><testcase status="disabled"><disabled/></testcase><testcase status="Not Run"/></testsuite>', (2, 0, 0, 0, 2), id="not run"),
        pytest.param('<testsuite><testcase status="run" result="completed"/><testcase status="passed"/></testsuite>', (2, 2, 0, 0, 0), id="run"),
        pytest.param('<testsuite><testcase status="failed"/><testcase result="ERROR"/></testsuite>', (2, 0, 1, 1, 0), id="bad by its status alone"),
        pytest.param("<testsuite><testcase><flakyFailure message='once'/></testcase></testsuite>", (1, 1, 0, 0, 0), id="flaky, passed in the end"),
        pytest.param("<testsuite><testcase><failure/><rerunFailure/><rerunFailure/></testcase></testsuite>", (1, 0, 1, 0, 0), id="failed every time"),
        pytest.param("<testsuite failures='2'><testcase><failure/><failure/></testcase></testsuite>", (1, 0, 1, 0, 0), id="failed twice in one"),
        pytest.param("<testsuite><testcase><skipped/><error/><failure/></testcase></testsuite>", (1, 0, 0, 1, 0), id="the worst counts"),
        pytest.param("<testsuite><testcase><system-out>&lt;failure/&gt;<![CDATA[<!DOCTYPE html><error/>]]></system-out></testcase></testsuite>", (1, 1, 0, 0, 0), id="output"),
        pytest.param("<testsuites/>", (0, 0, 0, 0, 0), id="empty"),
    ],
)  # fmt: skip
def test_cases_and_suites_count_wherever_a_tool_puts_them(report: str, expected: tuple[int, ...]) -> None:
    assert counts(report) == expected
    assert "contradiction" not in parse_junit(report.encode()).to_json()


@pytest.mark.parametrize(
    "report",
    [
        f"<testsuites failures='3' errors='1'><testsuite>{BAD}</testsuite></testsuites>",
        f"<testsuite failures='1'>{CASE}</testsuite>",
        f"<testsuites><testsuite name='x' errors='1,000'>{CASE}</testsuite></testsuites>",
        f"<testsuite name='pytest' tests='9' failures='1'>{CASE}</testsuite>",
    ],
)
def test_attributes_that_say_more_failures_than_the_cases_contradict_them(report: str) -> None:
    assert "attributes and cases disagree" in (parse_junit(report.encode()).contradiction or "")


@pytest.mark.parametrize(
    "report",
    [
        f"<testsuite tests='3' disabled='2'>{CASE}</testsuite>",
        f"<testsuite tests='2' skipped='1' disabled='1'><testcase><skipped/></testcase>{CASE}</testsuite>",
        f"<testsuites tests='1'><testsuite tests='1'>{CASE}{BAD}</testsuite></testsuites>",
        f"<testsuite tests='' failures='NaN' errors='none'>{CASE}</testsuite>",
        f"<testsuites><testsuite name='all' tests='12'>{CASE}</testsuite></testsuites>",
        "<testsuite failures='1'><testcase><skipped type='todo'/><failure message='not yet'/></testcase></testsuite>",
    ],
    ids=["cases left out", "disabled are skipped", "less than there are", "no counts", "assertions", "may fail"],
)
def test_attributes_that_can_be_true_beside_the_cases_contradict_nothing(report: str) -> None:
    assert "contradiction" not in parse_junit(report.encode()).to_json()


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("80.803us", 0.0), ("1500ms", 1.5), ("1,234.5", 1234.5), ("1,234", 1234), ("0,25", 0.25), ("2.5 s", 2.5), ("2e-1", 0.2),
        ("", 0), ("NaN", 0), ("-1", 0), ("soon", 0), ("1.2.3", 0), ("0:00:01", 0), ("1e999", 0), ("9" * 400, 0),
    ],
)  # fmt: skip
def test_an_odd_duration_leaves_the_report_readable(written: str, seconds: float) -> None:
    report = f'<testsuite time="{written}"><testcase name="a" time="{written}"/></testsuite>'
    assert counts(report) == (1, 1, 0, 0, 0)
    assert parse_junit(report.encode()).seconds == pytest.approx(seconds, abs=1e-3)


def test_the_first_words_of_a_failure_are_kept_from_attribute_or_text() -> None:
    report = (
        "<testsuites><testsuite name='pay'><error message='build failed'>undefined: Charge</error></testsuite>"
        f"<testcase name='t' classname='c'><failure>  expected 1{'!' * 9_000}</failure></testcase></testsuites>"
    )
    first, second = parse_junit(report.encode()).failures
    assert first == TestFailure(test="pay::", message="build failed")
    assert second.test == "c::t"
    assert second.message.startswith("expected 1!")
    assert len(second.message) <= 500


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso-8859-1", "windows-1252"])
def test_a_report_in_the_encoding_it_declares_is_read(encoding: str) -> None:
    report = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?><testsuite><testcase name="größer"><failure/></testcase></testsuite>'
    assert parse_junit(report.encode(encoding)).failures == (TestFailure(test="::größer", message=""),)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_entities_that_would_expand_without_end_are_refused_unread(encoding: str) -> None:
    text = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><testsuite><testcase name="&l9;"/></testsuite>'
    with pytest.raises(ReportError, match="document type"):
        parse_junit(text.encode(encoding))


reports = st.recursive(
    st.sampled_from(["<testcase/>", "<failure/>", "<error/>", "<skipped/>", "<properties/>", "text"]),
    lambda inner: st.tuples(
        st.sampled_from(["testsuite", "testsuites", "testcase", "failure", "system-out"]),
        st.sampled_from(
            ["", " tests='1'", " failures='2'", " time='x' status='run'", " disabled='-1'", " errors='9e9'"]
        ),
        st.lists(inner, max_size=3),
    ).map(lambda one: f"<{one[0]}{one[1]}>{''.join(one[2])}</{one[0]}>"),
    max_leaves=10,
)


@given(reports)
def test_a_report_of_any_shape_gives_counts_that_add_up(inner: str) -> None:
    tests, passed, failed, errors, skipped = counts(f"<testsuites>{inner}</testsuites>")
    assert tests == passed + failed + errors + skipped
    assert min(passed, failed, errors, skipped) >= 0


def test_times_that_are_no_numbers_of_seconds_do_not_count() -> None:
    report = '<testsuite><testcase name="a" time="inf"/><testcase name="b" time="nan"/><testcase name="c" time="1.5"/></testsuite>'
    found = parse_junit(report.encode())
    assert (found.tests, found.passed, found.seconds) == (3, 3, 1.5)


def test_suites_within_suites_are_counted_and_what_they_claim_is_not() -> None:
    inner = (
        '<testsuite tests="90"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>'
    )
    found = parse_junit(
        f'<?xml version="1.0" encoding="utf-8"?><testsuites tests="99"><testsuite>{inner}</testsuite></testsuites>'.encode()
    )
    assert (found.tests, found.passed, found.failed) == (2, 1, 1)


def test_a_test_that_may_fail_counts_as_skipped_whether_it_fails_or_not() -> None:
    for may in ("<skipped type='todo'/><failure/>", "<failure/><skipped message='tagged with !mayfail'/>"):
        report = f"<testsuites>{CASE}<testcase name='later'>{may}</testcase></testsuites>"
        found = parse_junit(report.encode())
        assert (found.passed, found.failed, found.skipped) == (1, 0, 1)


def test_a_report_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "junit.xml").open("wb") as file:
        file.truncate(MAX_REPORT_BYTES + 1)
    with pytest.raises(ReportError, match="larger than 50 MB"):
        read_report(tmp_path / "junit.xml")
