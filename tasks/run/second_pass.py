"""The second pass of a check of tests, in a tree of its own: what is put back, what came of it, what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from contexts.documents.findings import Finding
from contexts.documents.verification import SecondPass
from contexts.spec.checks import TestsCheck
from tasks.checks.bench import Bench, StepFailed
from tasks.checks.junit import TestCase
from tasks.checks.second_pass import SecondRun, compare, findings_on, run_again, without_report
from tasks.checks.test_files import TestFiles, is_test_file, to_put_back
from tasks.git.paths import readable
from tasks.git.put_back import diff_of, put_back
from tasks.run.check_trees import changes_of, content_at, keep_log, paths_of, prepare
from tasks.run.run import Run

_MOST_SHOWN = 20
"""Files whose diffs are shown one by one; the whole diff is kept beside."""


def run_second_pass(
    run: Run, check: TestsCheck, bench: Bench, commit: str, cases: Sequence[TestCase]
) -> tuple[SecondPass, list[Finding]]:
    """Run the base commit's tests over the merged product and compare, test by test.

    Args:
        run: The run.
        check: The check, which passed on the merged tree.
        bench: Where it ran; the second pass has as much time again, lest a track use it up.
        commit: The integrated commit.
        cases: Its tests on the merged tree.
    """
    changed = changes_of(run, commit)
    paths = list(to_put_back(changed, check.tests))
    if not paths:
        return SecondPass(status="not-run", reason="no track changed a test, or what serves tests alone"), []
    tests = [path for path in paths_of(run, run.base) if is_test_file(path, check.tests)]
    if not tests:
        return SecondPass(status="not-run", reason="the base commit has no tests"), []
    place = bench.place / "second-pass"
    second = replace(bench, tree=place / "tree", place=place, steps=[], base=None)
    restored = put_back(run.repository.git, commit, run.base, paths)
    try:
        prepare(run, second, restored, second.tree)
        again = run_again(check, second)
    except StepFailed as error:
        again = SecondRun(None, str(error))
    outcome = SecondPass(status="not-comparable", reason=again.problem, put_back=len(paths), tests=len(again.cases))
    diff = diff_of(run.repository.git, restored, commit)
    if again.problem and _all_new(run, check, commit, cases, tests) and _runs_none_at_base(run, check, bench):
        reason = "on the base commit the check runs no test"
        return _kept(run, outcome.changed(status="not-run", reason=reason), again, diff, [])
    if again.problem:
        edited = again.step is None or again.step.outcome.reason == "cancelled" or not changed.keys().isdisjoint(tests)
        shown = [readable(path) for path in paths]
        found = [without_report(check, again.problem, shown, bench.changed_by, edited=edited)]
        outcome = outcome if edited else outcome.changed(status="differs")
    else:
        files = TestFiles(tests, partial(content_at, run, run.base))
        differences = compare(cases, again.cases, files, changed)
        found = list(findings_on(check, differences, _diffs(run, restored, commit, paths), bench.changed_by))
        outcome = outcome.changed(status="differs" if differences else "same", reason=None)
    return _kept(run, outcome, again, diff, found)


def _all_new(run: Run, check: TestsCheck, commit: str, cases: Sequence[TestCase], tests: Sequence[str]) -> bool:
    """Say whether all tests that ran on the merged tree lie in files that the base commit does not have.

    That alone decides nothing: a track may have kept the others from running.
    """
    merged = [path for path in paths_of(run, commit) if is_test_file(path, check.tests)]
    files = TestFiles(merged, partial(content_at, run, commit))
    own = {files.of(one) for one in cases}
    return None not in own and own.isdisjoint(tests)


def _runs_none_at_base(run: Run, check: TestsCheck, bench: Bench) -> bool:
    """Say whether the check has no test at all on the base commit, where nothing of the tracks' decides that."""
    place = bench.place / "base-alone"
    alone = replace(bench, tree=place / "tree", place=place, steps=[], base=None)
    try:
        prepare(run, alone, run.base, alone.tree)
        ran = run_again(check, alone)
    except StepFailed:
        return False
    return ran.step is not None and ran.step.finished and not ran.cases


def _diffs(run: Run, restored: str, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
    """Return what tracks changed in the files that were put back, by path; of very many only that they changed."""
    diffs = {path: diff_of(run.repository.git, restored, commit, path) for path in paths[:_MOST_SHOWN]}
    return {readable(path): diffs.get(path, b"").decode("utf-8", "replace") for path in paths}


def _kept(
    run: Run, outcome: SecondPass, again: SecondRun, diff: bytes, found: list[Finding]
) -> tuple[SecondPass, list[Finding]]:
    """Keep log, report and diff of a second pass."""
    put = run.store.put_blob
    more: dict[str, object] = {"diff": put(run.workflow_id, diff, "text/plain")}
    if again.report:
        more["report"] = put(run.workflow_id, *again.report)
    if again.step:
        log, told = keep_log(run, again.step)
        found += told
        more |= {
            "log": log,
            "exit_code": again.step.outcome.exit_code,
            "seconds": round(again.step.outcome.seconds, 3),
        }
    return outcome.changed(**more).compact(), found


def settled(before: Sequence[Finding], outcome: SecondPass) -> list[Finding]:
    """Return what was found of a check's files before it ran, now that its tests ran twice.

    What only warned because the second pass would decide it blocks where that was not run or gave nothing to compare,
    and is left out where the base commit's tests say the same.

    Args:
        before: Findings of `tasks.checks.own_files`, and others.
        outcome: How the second pass ended.
    """
    kept: list[Finding] = []
    for one in before:
        waits = one.rule == "evidence/check-changed" and one.severity == "warning"
        if outcome.status in {"not-comparable", "not-run"} and waits:
            kept.append(one.changed(severity="blocking"))
        elif not (
            (outcome.status == "same" and waits)
            or (outcome.status in {"same", "differs"} and one.rule == "evidence/tests-changed")
        ):
            kept.append(one)
    return kept
