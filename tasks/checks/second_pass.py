"""The second pass: what the base commit's tests say of the merged product.

A track that adds a fixture, edits a helper or a setting can make any suite green. So the base commit's tests, and what
serves them alone, are put back over the merged product and run as well, and the two runs are compared test by test.
What a test is called, and where it lies, is taken from the second run, in which nothing of the tracks' decides it.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from contexts.documents.findings import Finding, Source
from contexts.redaction import head_of
from contexts.spec.checks import Reports, TestsCheck
from contexts.store.keys import track_document
from contexts.text.plural import counted, first_of
from tasks.checks.bench import Bench, Step
from tasks.checks.command import run_and_read
from tasks.checks.junit import TestCase
from tasks.checks.test_files import TestFiles
from tasks.git.paths import readable

_SHOWN = 5
_LONGEST_QUOTE = 2_000
_LONGEST_NAME = 200
_MOST_SOURCES = 50
_BAD = frozenset({"failed", "errors"})

How = Literal["fails", "is-gone", "is-skipped"]
_HOW: Mapping[How, str] = {
    "fails": "passes with the tracks' tests and settings, and fails with the base commit's",
    "is-gone": "is run with the base commit's tests and settings, and not with the tracks'",
    "is-skipped": "passes with the base commit's tests and settings, and is skipped with the tracks'",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that ends otherwise in the two runs.

    Attributes:
        test: Its name in the report.
        how: In which way.
        file: Its own file, None where that could not be told.
        edited: Whether a track changed that file.
    """

    test: str
    how: How
    file: str | None
    edited: bool


@dataclass(frozen=True, slots=True)
class SecondRun:
    """How the second run went.

    Attributes:
        step: The command, None where it was not run.
        problem: Why there is nothing to compare.
        cases: The tests of its report.
        report: The report, with its media type.
    """

    step: Step | None
    problem: str = ""
    cases: tuple[TestCase, ...] = ()
    report: tuple[bytes, str] | None = None


def run_again(check: TestsCheck, bench: Bench) -> SecondRun:
    """Run the check's command in a tree in which the base commit's tests were put back."""
    step, said = run_and_read(check, bench, Reports(junit=check.reports.junit))
    if not step.finished:
        return SecondRun(step, bench.why_unfinished(step))
    report = said.raw.get("tests")
    if said.unreadable:
        return SecondRun(step, "; ".join(said.unreadable), report=report)
    if not said.cases:
        return SecondRun(step, "no test was run", report=report)
    return SecondRun(step, "", said.cases, report)


def compare(
    merged: Sequence[TestCase], again: Sequence[TestCase], files: TestFiles, changed: Collection[str]
) -> tuple[Difference, ...]:
    """Return the tests that pass, or are not run, only because of what tracks changed beside the product.

    Args:
        merged: The tests of the run on the merged tree.
        again: Those of the run with the base commit's tests put back.
        files: The base commit's test files.
        changed: Files that differ between the base commit and the merged tree.
    """
    before = {one.id: one for one in merged}
    found: list[Difference] = []
    for one in again:
        how = _how(before.get(one.id), one)
        if how is None:
            continue
        own = files.of(one)
        if own is None and one.id not in before and one.outcome in _BAD:
            # No test, but a package that was not built: old tests of what tracks changed on purpose do that.
            own = files.beside(one, changed)
            found.append(Difference(one.id, how, own, own is not None))
            continue
        found.append(Difference(one.id, how, own, own is not None and own in changed))
    return tuple(found)


def _how(merged: TestCase | None, again: TestCase) -> How | None:
    if again.outcome == "skipped":
        return None
    if merged is None:
        return "is-gone"
    if merged.outcome == "skipped":
        return "is-skipped" if again.outcome == "passed" else "is-gone"
    return "fails" if merged.outcome == "passed" and again.outcome in _BAD else None


def findings_on(
    check: TestsCheck,
    differences: Sequence[Difference],
    diffs: Mapping[str, str],
    changed_by: Mapping[str, Sequence[str]],
) -> tuple[Finding, ...]:
    """Return one finding on tests whose own files nobody changed, which blocks, and a warning on edited ones.

    Args:
        check: The check.
        differences: What `compare` found.
        diffs: The diff of every file that was put back, by its path as documents have it.
        changed_by: The files each track changed.
    """
    found: list[Finding] = []
    who = _tracks(diffs, changed_by)
    for edited in (False, True):
        of_kind = [one for one in differences if one.edited == edited]
        if not of_kind:
            continue
        own = sorted({readable(one.file) for one in of_kind if one.file})
        tests = first_of([head_of(one.test, _LONGEST_NAME) for one in of_kind], _SHOWN)
        if edited:
            message = (
                f"check {check.id}: {_tracks(own, changed_by)} edited {first_of(own, _SHOWN)}; as the base commit has "
                f"{'it' if len(own) == 1 else 'them'}, {counted(len(of_kind), 'test')} would not pass here, or "
                f"{'is' if len(of_kind) == 1 else 'are'} gone ({tests}): see that the new tests say what is meant"
            )
        else:
            lost = sum(one.file is None for one in of_kind)
            message = (
                f"check {check.id}: {counted(len(of_kind), 'test')} that no track edited ({tests}) "
                f"{'ends' if len(of_kind) == 1 else 'end'} otherwise with what {who} changed beside the product "
                f"({first_of(sorted(diffs), _SHOWN)}): the first {_HOW[of_kind[0].how]}"
            )
            if lost:
                message += f"; in which file {counted(lost, 'of them lies', 'of them lie')} could not be told"
        # Of an edited test its own file comes first; what else was changed may be what makes it pass.
        shown = sorted(diffs, key=lambda path: (path not in own, path))[:_SHOWN]
        sources = (
            *_where(diffs, changed_by),
            *(Source(document="integrated tree", pointer=path, quote=_cut(diffs[path])) for path in shown),
        )
        rule = "evidence/test-edited" if edited else "evidence/second-pass"
        severity = "warning" if edited else "blocking"
        found.append(Finding(rule=rule, severity=severity, message=message, sources=sources))
    return tuple(found)


def without_report(
    check: TestsCheck, problem: str, paths: Sequence[str], changed_by: Mapping[str, Sequence[str]], *, edited: bool
) -> Finding:
    """Return what is to be said where the second pass gave nothing to compare.

    Args:
        check: The check.
        problem: Why.
        paths: The files that were put back.
        changed_by: The files each track changed.
        edited: Whether that may be because tests were edited, or because it could not be tried; otherwise the base
            commit's own tests do not even end well on the merged product, which blocks.
    """
    named = first_of(sorted(paths), _SHOWN)
    if edited:
        rule, severity = "evidence/not-comparable", "warning"
        said = f"was not compared with the base commit's tests ({named} put back): {problem}; look at what was changed"
    else:
        rule, severity = "evidence/second-pass", "blocking"
        said = f"gives no report ({problem}) once what {_tracks(paths, changed_by)} added beside the product is taken"
        said += f" away ({named})"
    message = f"check {check.id} {said}"
    return Finding(rule=rule, severity=severity, message=message, sources=_where(paths, changed_by))


def _where(paths: Collection[str], changed_by: Mapping[str, Sequence[str]]) -> tuple[Source, ...]:
    named = (
        Source(document=track_document(task_id), pointer="/files_modified", quote=path)
        for task_id, own in changed_by.items()
        for path in sorted(set(paths).intersection(own))
    )
    return tuple(itertools.islice(named, _MOST_SOURCES))


def _tracks(paths: Collection[str], changed_by: Mapping[str, Sequence[str]]) -> str:
    tracks = [task_id for task_id, files in changed_by.items() if not set(paths).isdisjoint(files)]
    return f"track {' and '.join(tracks)}" if tracks else "a track"


def _cut(diff: str) -> str:
    return diff if len(diff) <= _LONGEST_QUOTE else f"{diff[:_LONGEST_QUOTE]}\n... the whole is in second-pass.diff"
