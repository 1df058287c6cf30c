"""Reports of many files, of before, of other tools: what counts is what the check left, and all of it."""

import json
import os
from pathlib import Path

import pytest

from tasks.checks import report_file
from tasks.checks.coverage.read import coverage_of, join_coverage, placed, read_coverage, track_coverage
from tasks.checks.report_file import ReportError
from tests.tasks.checks.conftest import RunCheck, write

GOOD = '<testsuite name="{0}"><testcase classname="{0}" name="works"/></testsuite>'
BAD = '<testsuite name="{0}"><testcase classname="{0}" name="works"><failure message="no"/></testcase></testsuite>'


def leaves(**files: str) -> tuple[str, ...]:
    """A command that writes files into its tree and report folder, ``__`` in names for ``/``."""
    return ("{python}", "-c", WRITES, json.dumps({name.replace("__", "/"): text for name, text in files.items()}))


WRITES = """
import json, os, pathlib, sys
for name, text in json.loads(sys.argv[1]).items():
    path = pathlib.Path(os.environ["PLAIT_REPORTS"], name[3:]) if name.startswith("to/") else pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
"""


@pytest.mark.parametrize("name", ["{tree}/target/s/*.xml", "{tree}/target/s", "{tree}/target", "{tree}/**/TEST-*.xml"])
def test_all_files_of_a_report_are_one(run_check: RunCheck, name: str) -> None:
    argv = leaves(**{f"target__s__TEST-{one}.xml": GOOD.format(one) for one in "ab"})
    judged = run_check(kind="tests", argv=argv, reports={"junit": name}).judged
    assert judged.status == "passed", judged.reason
    assert judged.result.number("tests.passed") == 2
    argv = leaves(**{"target__s__TEST-c.xml": BAD.format("c"), "target__s__TEST-d.xml": GOOD.format("d")})
    assert (
        run_check(kind="tests", argv=argv, reports={"junit": name}).judged.reason
        == "1 of 2 tests failed (exit code 0): c::works"
    )


def test_one_unreadable_file_among_many_makes_it_unverified(run_check: RunCheck) -> None:
    argv = leaves(**{"to__r__a.xml": GOOD.format("a"), "to__r__b.xml": "<testsuite>"})
    judged = run_check(kind="tests", argv=argv, reports={"junit": "r"}).judged
    assert judged.status == "unverified"
    assert "r/b.xml: the JUnit report cannot be read" in judged.reason


def test_what_stood_there_before_is_no_report(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"out/a.xml": GOOD.format("a"), "out/b.xml": GOOD.format("b")})
    reports = {"junit": "{tree}/out/*.xml"}
    judged = run_check(kind="tests", argv=("true",), reports=reports).judged
    assert (judged.status, "stood there before it ran" in judged.reason) == ("unverified", True), judged.reason
    ran = run_check(kind="tests", argv=leaves(out__c__no=" ", **{"out__c.xml": GOOD.format("c")}), reports=reports)
    assert (ran.judged.status, ran.judged.result.number("tests.tests")) == ("passed", 1)
    assert ran.notes == (
        "report {tree}/out/*.xml: 2 files of it stood there before the check ran, and counts for nothing",
    )


@pytest.mark.parametrize(
    ("time", "status"),
    [
        ("2020-01-01T00:00:00", "unverified"),
        ("2020-01-01T00:00:00.123Z", "unverified"),
        ("2020-01-01T00:00:00+02:00", "unverified"),
        ("2999-01-01T00:00:00", "passed"),
        ("1970-01-01T00:00:00", "passed"),
        ("yesterday", "passed"),
    ],
)
def test_a_report_that_says_it_was_made_before_is_stale(run_check: RunCheck, time: str, status: str) -> None:
    text = f'<testsuite timestamp="{time}"><testcase name="a"/></testsuite>'
    judged = run_check(kind="tests", argv=leaves(**{"to__junit.xml": text}), reports={"junit": "junit.xml"}).judged
    assert judged.status == status, judged.reason
    assert ("before the check began" in judged.reason) == (status == "unverified")


def test_links_and_devices_are_no_reports(run_check: RunCheck, tree: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"junit.xml": GOOD.format("a")})
    argv = ("ln", "-sfn", str(secret), "out")
    judged = run_check(kind="tests", argv=argv, reports={"junit": "{tree}/out/junit.xml"}).judged
    assert "out is a symbolic link" in judged.reason
    argv = ("ln", "-sf", str(secret / "junit.xml"), "junit.xml")
    assert (
        "junit.xml is a symbolic link"
        in run_check(kind="tests", argv=argv, reports={"junit": "{tree}/*.xml"}).judged.reason
    )
    os.mkfifo(tree / "pipe.xml")
    assert (
        "is no plain file"
        in run_check(kind="tests", argv=("true",), reports={"junit": "{tree}/pipe.xml"}).judged.reason
    )


def test_too_many_files_are_refused(run_check: RunCheck, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_file, "MAX_REPORT_FILES", 3)
    write(tree, {f"r/{at}.xml": "<testsuite/>" for at in range(5)})
    assert "more than 3 files" in run_check(kind="tests", argv=("true",), reports={"junit": "{tree}/r"}).judged.reason


def test_what_a_pass_does_not_say_is_noted(run_check: RunCheck) -> None:
    skipped = '<testsuite><testcase name="a"/>' + '<testcase name="b"><skipped/></testcase>' * 2 + "</testsuite>"
    flaky = '<testsuite><testcase name="a"><flakyFailure message="no"/></testcase></testsuite>'
    for text, note in (
        (skipped, "2 of 3 tests were skipped, more than ran"),
        (flaky, "1 test passed only at a later try"),
    ):
        ran = run_check(kind="tests", argv=leaves(**{"to__junit.xml": text}), reports={"junit": "junit.xml"})
        assert (ran.judged.status, ran.notes) == ("passed", (note,))


LCOV = "TN:\nSF:{0}\nDA:1,1\nDA:2,0\nBRDA:1,0,0,1\nBRDA:1,0,1,-\nend_of_record\n"
COBERTURA = """<?xml version="1.0"?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage line-rate="0.5" branches-valid="2"><sources><source>src</source></sources><packages><package><classes>
<class filename="a.py"><lines><line number="1" hits="1" branch="true" condition-coverage="50% (1/2)"/>
<line number="2" hits="0"/></lines></class></classes></package></packages></coverage>"""
JACOCO = """<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="x"><package name="org/shop"><sourcefile name="A.java"><line nr="1" mi="0" ci="3" mb="1" cb="1"/>
<line nr="2" mi="2" ci="0" mb="0" cb="0"/></sourcefile></package></report>"""
FINAL = {
    "path": "/elsewhere/src/a.js",
    "statementMap": {"0": {"start": {"line": 1}}, "1": {"start": {"line": 2}}},
    "s": {"0": 3, "1": 0},
    "branchMap": {"0": {"loc": {"start": {"line": 1}}}},
    "b": {"0": [1, 0]},
}
HALF = {"total": 2, "covered": 1, "skipped": 0, "pct": 50}
SUMMARY = {name: {"lines": HALF, "branches": HALF, "statements": HALF} for name in ("total", "/elsewhere/src/a.js")}


@pytest.mark.parametrize(
    ("report", "path"),
    [
        (LCOV.format("src/a.js"), "src/a.js"),
        (LCOV.format("./src/a.js"), "src/a.js"),
        (LCOV.format("{tree}/src/a.js"), "src/a.js"),
        (COBERTURA, "src/a.py"),
        (JACOCO, "java/org/shop/A.java"),
        (json.dumps({"/elsewhere/src/a.js": FINAL}), "src/a.js"),
        (json.dumps(SUMMARY), "src/a.js"),
    ],
)
def test_coverage_of_every_tool_gives_the_same_figures(tmp_path: Path, report: str, path: str) -> None:
    write(tmp_path, {path: "", "other/src/b.js": ""})
    found = placed(read_coverage(report.replace("{tree}", str(tmp_path)).encode()), tmp_path)
    figures = coverage_of(found)
    assert (figures.line_percent, figures.branch_percent) == (50, 50)
    assert list(figures.files or ()) == [path]
    share = track_coverage(found, {"api": [path]})["api"]
    assert (share.line_percent, share.branch_percent, share.measured) == (50, 50, 1)


def test_several_reports_of_a_file_cover_together_what_any_covers() -> None:
    first, second = "SF:a\nDA:1,1\nDA:2,0\nend_of_record\n", "SF:a\nDA:1,0\nDA:2,4\nend_of_record\n"
    found = coverage_of(join_coverage([read_coverage(one.encode()) for one in (first, second)]))
    assert (found.line_percent, found.branch_percent) == (100, None)


@pytest.mark.parametrize(
    "report",
    [
        "", "mode: set\n", "[]", "{", "{}", '{"a": 1}', "<html/>", "<coverage/>", "<report>", "SF:a\nDA:1,1\n",
        '<!DOCTYPE r [<!ENTITY a "b">]><report>&a;</report>',
        f"<!-- {'x' * 200_000} --><!DOCTYPE report [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><report/>",
        '<coverage line-rate="1"><class filename="a"><line number="x" hits="1"/></class></coverage>',
        '<report><sourcefile name="a"><line nr="1" ci="-1"/></sourcefile></report>',
        '<coverage line-rate="1"><class filename="a"><line number="1" hits="1" condition-coverage="9% (3/2)"/></class></coverage>',
        '{"a": {"path": "a", "statementMap": {}, "s": {"0": -1}}}',
        '{"a": {"lines": {"total": 1, "covered": 2}, "branches": {"total": 0, "covered": 0}}}',
    ],
)  # fmt: skip
def test_what_is_no_coverage_is_refused(report: str) -> None:
    with pytest.raises(ReportError, match="coverage report"):
        read_coverage(report.encode())


def test_coverage_of_tests_alone_is_noted(run_check: RunCheck) -> None:
    argv = leaves(**{"to__c.info": LCOV.format("tests/test_a.py")})
    assert run_check(argv=argv, reports={"coverage": "c.info"}).notes == (
        "its coverage is of tests alone: no other file was measured",
    )


def sarif(*results: object, **invocation: object) -> str:
    driver = {"name": "lint", "rules": [{"id": "r", "defaultConfiguration": {"level": "error"}}]}
    runs = [{"tool": {"driver": driver}, "results": results, "invocations": [invocation] if invocation else []}]
    return json.dumps({"version": "2.1.0", "runs": runs})


PLACE = [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}]


@pytest.mark.parametrize(
    ("text", "status", "counts"),
    [
        (sarif(), "passed", (0, 0, 0, 0)),
        (sarif({"ruleId": "x", "message": {"text": "odd"}}, {"level": "note"}), "passed", (0, 1, 1, 0)),
        (sarif({"ruleId": "r", "locations": PLACE}), "failed", (1, 0, 0, 0)),
        (sarif({"level": "error", "suppressions": [{"kind": "inSource"}]}), "passed", (0, 0, 0, 1)),
        (sarif({"level": "error", "suppressions": [{"status": "rejected"}]}), "failed", (1, 0, 0, 0)),
        (sarif({"level": "error", "kind": "pass"}), "passed", (0, 0, 0, 0)),
        (sarif({"level": "error", "baselineState": "absent"}), "passed", (0, 0, 0, 0)),
        (sarif(executionSuccessful=False), "unverified", None),
        (sarif(executionSuccessful=True, endTimeUtc="2020-01-01T00:00:00Z"), "unverified", (0, 0, 0, 0)),
        ('{"version": "2.1.0", "runs": []}', "unverified", None),
        ('{"version": "1.0.0", "runs": []}', "unverified", None),
    ],
)
def test_findings_of_linters_are_counted_by_level(
    run_check: RunCheck, text: str, status: str, counts: tuple[int, ...] | None
) -> None:
    judged = run_check(argv=leaves(**{"to__lint.sarif": text}), reports={"sarif": "lint.sarif"}).judged
    assert judged.status == status, judged.reason
    if counts and status != "unverified":
        names = ("error", "warning", "note", "suppressed")
        assert tuple(judged.result.number(f"sarif.{name}") for name in names) == counts


def test_figures_of_a_checks_own_are_read_at_any_depth(run_check: RunCheck) -> None:
    text = json.dumps(
        {"bundle_kb": 12.5, "pages": {"home.html": {"ms": 3}}, "sizes": [1, {"b": 2}], "ok": True, "name": "x"}
    )
    result = run_check(argv=leaves(**{"to__m.json": text}), reports={"metrics": "m.json"}).judged.result
    paths = {"metrics.bundle_kb": 12.5, "metrics.pages.home.html.ms": 3, "metrics.sizes.1.b": 2}
    assert {path: result.number(path) for path in paths} == paths
    assert result.number("metrics.ok") is None


@pytest.mark.parametrize(
    "text", ["", "[1]", "{}", '{"a": "b"}', '{"a": NaN}', '{"a": 1e999}', '{"a":' * 30 + "1" + "}" * 30]
)
def test_what_are_no_figures_is_unverified(run_check: RunCheck, text: str) -> None:
    judged = run_check(argv=leaves(**{"to__m.json": text}), reports={"metrics": "m.json"}).judged
    assert (judged.status, "metrics report" in judged.reason) == ("unverified", True), judged.reason
