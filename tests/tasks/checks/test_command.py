"""Commands and tests: what decides is the exit code and a report that somebody can count, never silence."""

import os
from pathlib import Path

import psutil
import pytest

from contexts.documents.figures import TestCounts
from tasks.checks.results import CheckRun
from tests.tasks.checks.conftest import RunCheck, write

PYTEST = ("{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={reports}/junit.xml")
NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
SUITE = '<testsuite name="s" tests="{claimed}">{cases}</testsuite>'


def counted(ran: CheckRun) -> TestCounts:
    assert ran.judged.result.tests is not None
    return ran.judged.result.tests


def counts(ran: CheckRun) -> dict[str, int]:
    tests = counted(ran).to_json()
    return {key: tests[key] for key in ("tests", "passed", "failed", "errors", "skipped")}


def run_pytest(run_check: RunCheck, tree: Path, **files: str) -> CheckRun:
    write(tree, {name.replace("__", "/") + ".py": text for name, text in files.items()})
    return run_check(kind="tests", argv=(*PYTEST, "tests"), reports={"junit": "junit.xml"}, env=NO_PLUGINS)


def says(report: str, code: int = 0) -> tuple[str, ...]:
    """A command that leaves a report of its own making."""
    program = (
        f"import os; open(os.environ['PLAIT_REPORTS'] + '/junit.xml', 'w').write({report!r}); raise SystemExit({code})"
    )
    return ("{python}", "-c", program)


def test_a_command_that_ends_with_0_has_passed_and_its_log_is_kept(run_check: RunCheck) -> None:
    ran = run_check(argv=("sh", "-c", "echo looks good"))
    assert (ran.judged.status, ran.judged.reason) == ("passed", "")
    assert [step.log.read_text() for step in ran.steps] == ["looks good\n"]


def test_a_command_that_ends_otherwise_has_failed(run_check: RunCheck) -> None:
    judged = run_check(argv=("sh", "-c", "exit 7")).judged
    assert (judged.status, judged.reason) == ("failed", "the command ended with exit code 7")
    judged = run_check(argv=("sh", "-c", "kill -SEGV $$")).judged
    assert (judged.status, judged.reason) == ("failed", "the command ended with signal 11")


def test_a_command_that_cannot_be_started_is_unverified_and_says_what_to_do(run_check: RunCheck) -> None:
    judged = run_check(argv=("no-such-tool-anywhere",)).judged
    assert judged.status == "unverified"
    assert "install it" in judged.reason


def test_tests_of_a_real_pytest_are_counted_case_by_case(run_check: RunCheck, tree: Path) -> None:
    ran = run_pytest(
        run_check,
        tree,
        tests__test_all="""
import pytest
def test_good(): pass
def test_bad(): assert 1 == 2, "one is not two"
@pytest.mark.skip
def test_left_out(): pass
@pytest.fixture
def broken(): raise OSError("no disk")
def test_without_ground(broken): pass
""",
    )
    assert counts(ran) == {"tests": 4, "passed": 1, "failed": 1, "errors": 1, "skipped": 1}
    assert (ran.judged.status, ran.judged.reason) == (
        "failed",
        "2 of 4 tests failed (exit code 1): tests.test_all::test_bad, tests.test_all::test_without_ground",
    )
    assert any("one is not two" in one.message for one in counted(ran).failures)
    assert ran.judged.reports["tests"][0].startswith(b"<?xml"), "the raw report is kept"


def test_tests_that_all_pass_have_passed(run_check: RunCheck, tree: Path) -> None:
    ran = run_pytest(run_check, tree, tests__test_one="def test_it(): pass")
    assert (ran.judged.status, counts(ran)["passed"]) == ("passed", 1)


def test_a_run_that_finds_no_test_has_not_passed(run_check: RunCheck, tree: Path) -> None:
    assert run_pytest(run_check, tree, tests__empty="").judged.status == "failed", "pytest itself says so: 5"


@pytest.mark.parametrize(
    ("report", "status", "reason"),
    [
        (SUITE.format(claimed=46, cases=""), "unverified", "it ended with 0, but ran no test"),
        ("<testsuites/>", "unverified", "it ended with 0, but ran no test"),
        (SUITE.format(claimed=1, cases='<testcase name="a"><skipped/></testcase>'), "unverified", "all 1 tests were skipped"),
        (SUITE.format(claimed=0, cases='<testcase name="a"><failure/></testcase>'), "failed", "1 of 1 tests failed (exit code 0)"),
        (SUITE.format(claimed=9, cases='<testcase name="a"><error/></testcase>'), "failed", "1 of 1 tests failed (exit code 0)"),
        (SUITE.format(claimed=3, cases='<testcase name="a"/>'), "passed", ""),
        ('<testsuite failures="1"><testcase name="a"/></testsuite>', "failed", "1 failed, and its cases show 0"),
        ('<testsuite failures="2"/>', "failed", "2 failed, and its cases show 0"),
        ('<testsuites tests="1" disabled="1"><testcase status="notrun" result="suppressed"/></testsuites>', "unverified", "all 1 tests were skipped"),
        ('<testsuites><testsuite errors="1"><error message="build failed"/></testsuite><testcase/></testsuites>', "failed", "1 of 2 tests failed (exit code 0)"),
        ('<testsuites><testcase><failure/></testcase><testsuite tests="1"><testcase/></testsuite></testsuites>', "failed", "1 of 2 tests failed (exit code 0)"),
        ("46 passed in 1.2s", "unverified", "it ended with 0, but the JUnit report cannot be read"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite/>", "unverified", "document type"),
    ],
)  # fmt: skip
def test_a_report_is_read_and_not_believed(run_check: RunCheck, report: str, status: str, reason: str) -> None:
    judged = run_check(kind="tests", argv=says(report), reports={"junit": "junit.xml"}).judged
    assert judged.status == status
    assert reason in judged.reason


NODE_TESTS = """
import { test, describe, it } from "node:test"; import assert from "node:assert";
test("on top", () => {});
describe("a suite", () => { it("inner", () => {}); it.skip("later", () => {}); describe("deep", () => it("deeper", () => {})); });
test("with parts", async (t) => { await t.test("one", () => assert.equal(1, %s)); });
"""


@pytest.mark.parametrize(("value", "expected"), [("1", ("passed", 4, 0)), ("2", ("failed", 3, 1))])
def test_tests_of_a_real_node_are_counted_wherever_its_reporter_puts_them(
    run_check: RunCheck, tree: Path, value: str, expected: tuple[str, int, int]
) -> None:
    write(tree, {"all.test.mjs": NODE_TESTS % value})
    command = (
        'node --test --test-reporter=junit --test-reporter-destination="$PLAIT_REPORTS/junit.xml" all.test.mjs; true'
    )
    ran = run_check(kind="tests", argv=("sh", "-c", command), reports={"junit": "junit.xml"})
    found = counts(ran)
    assert (ran.judged.status, found["passed"], found["failed"]) == expected, ran.judged
    assert found["skipped"] == 1
    assert counted(ran).contradiction is None


def test_subtests_of_a_real_pytest_are_no_contradiction(run_check: RunCheck, tree: Path) -> None:
    several = "import unittest\nclass Test(unittest.TestCase):\n    def test_it(self):\n        for one in range(3):\n            with self.subTest(one=one): pass\n"
    ran = run_pytest(run_check, tree, tests__test_all=several)
    assert (ran.judged.status, counts(ran)["passed"]) == ("passed", 1), ran.judged


@pytest.mark.parametrize(
    ("argv", "advice"),
    [
        (("echo", "12 passed"), "let its runner write one into {reports}"),
        (("sh", "-c", "pytest -q || true"), "let its runner write one into {reports}"),
        (("echo", "pytest", "-q"), "pytest leaves one with --junitxml"),
        (("echo", "node", "--test"), "node --test leaves one with --test-reporter=junit"),
        (("echo", "./gradlew", "test"), 'gradle leaves one with name "{tree}/build/test-results/test/*.xml"'),
        (("echo", "npx", "jest"), "jest leaves one with --reporters=jest-junit"),
    ],
)
def test_tests_without_a_junit_report_are_not_verified_whatever_they_print(
    run_check: RunCheck, argv: tuple[str, ...], advice: str
) -> None:
    judged = run_check(kind="tests", argv=argv).judged
    assert (judged.status, advice in judged.reason) == ("unverified", True), judged.reason


def test_a_plain_command_may_say_nothing(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"README.md": "hello\n"})
    for argv in (("grep", "-q", "hello", "README.md"), ("test", "-f", "README.md")):
        assert run_check(argv=argv).judged.status == "passed"


def test_a_good_report_does_not_make_up_for_a_bad_exit_code(run_check: RunCheck) -> None:
    good = SUITE.format(claimed=1, cases='<testcase name="a"/>')
    judged = run_check(kind="tests", argv=says(good, 1), reports={"junit": "junit.xml"}).judged
    assert (judged.status, judged.reason) == ("failed", "the command ended with exit code 1")


def test_a_report_printed_instead_of_written_is_none(run_check: RunCheck) -> None:
    printed = SUITE.format(claimed=1, cases='<testcase name="a"/>')
    judged = run_check(kind="tests", argv=("echo", printed), reports={"junit": "junit.xml"}).judged
    assert (judged.status, judged.reason) == ("unverified", "it ended with 0, but the check left no report junit.xml")


def test_a_report_that_lies_in_the_tree_already_is_not_taken(run_check: RunCheck, tree: Path) -> None:
    good = SUITE.format(claimed=1, cases='<testcase name="a"/>')
    write(tree, {"junit.xml": good, "reports/junit.xml": good})
    assert run_check(kind="tests", argv=("true",), reports={"junit": "junit.xml"}).judged.status == "unverified"


def test_a_report_that_is_a_link_is_not_followed(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"mine.xml": SUITE.format(claimed=1, cases='<testcase name="a"/>')})
    argv = ("sh", "-c", "ln -s $PWD/mine.xml $PLAIT_REPORTS/junit.xml")
    assert run_check(kind="tests", argv=argv, reports={"junit": "junit.xml"}).judged.status == "unverified"


def test_a_command_that_hangs_ends_at_its_deadline_with_all_its_children(run_check: RunCheck, tree: Path) -> None:
    program = (
        "sh -c 'echo $$ > child; exec sleep 600' & setsid sh -c 'echo $$ > far; exec sleep 600' & echo busy; sleep 600"
    )
    ran = run_check(argv=("sh", "-c", program), seconds=3)
    assert ran.judged.status == "unverified"
    assert "stopped at its deadline" in ran.judged.reason
    assert not any(psutil.pid_exists(int((tree / name).read_text())) for name in ("child", "far"))


def test_a_command_that_floods_its_output_is_cut_and_that_is_said(run_check: RunCheck) -> None:
    program = "import sys\nfor _ in range(400): sys.stdout.write('x' * 99_999 + '\\n')\nprint('y ' * 5_000 + 'the end')"
    ran = run_check(argv=("{python}", "-c", program))
    (step,) = ran.steps
    assert ran.judged.status == "passed"
    assert step.log.stat().st_size < 21_000_000
    assert b"the end" in step.log.read_bytes()[-1000:]
    (note,) = ran.notes
    assert note == f"this: {step.outcome.dropped_bytes:,} bytes of output were dropped from the middle of its log"
    assert step.outcome.dropped_bytes > 15_000_000


def test_what_a_command_leaves_running_is_killed_and_said(run_check: RunCheck, tree: Path) -> None:
    ran = run_check(argv=("sh", "-c", "setsid sleep 600 & echo $! > pid; true"))
    assert ran.judged.status == "passed"
    assert ran.notes == ("this: 1 process was still running at its end and killed",)
    assert not psutil.pid_exists(int((tree / "pid").read_text()))


def test_a_command_sees_its_own_home_and_nothing_of_plait_s_environment(
    run_check: RunCheck, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAIT_STORE", "/somewhere/store")
    monkeypatch.setenv("PREFECT_API_KEY", "not for checks")
    monkeypatch.setenv("WANTED", "this one")
    ran = run_check(argv=("sh", "-c", "env > seen"), env={"WANTED": "env:WANTED", "MODE": "test"}, ports=2)
    seen = dict(line.split("=", 1) for line in (tree / "seen").read_text().splitlines() if "=" in line)
    assert ran.judged.status == "passed"
    assert {"PLAIT_STORE", "PREFECT_API_KEY"}.isdisjoint(seen)
    assert (seen["WANTED"], seen["MODE"]) == ("this one", "test")
    assert seen["HOME"] == str(tree.parent / "home") != os.environ.get("HOME")
    assert len(set(seen["PLAIT_PORTS"].split())) == 2
