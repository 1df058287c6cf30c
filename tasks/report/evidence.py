"""Evidence of a report: what every check gave, with the beginning and the end of its log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from contexts.documents.context import Context
from contexts.documents.figures import CheckFigures, TestFailure
from contexts.documents.refs import BlobRef
from contexts.documents.verification import Evidence, SecondPass
from contexts.errors import BadIdentifier, ChecksumMismatch, NotFound
from contexts.store.contexts import ContextStore
from contexts.text.visible import show_invisible
from tasks.report.bounds import listed
from tasks.report.evidence_data import EvidenceRow
from tasks.report.rulings import check_waivers
from tasks.report.text import number, plain
from tasks.report.values import Listed, Log, status

HEAD = 2_000
TAIL = 6_000
_MOST = 200

ReadLog = Callable[[BlobRef | None], "Log | None"]
"""Makes a log of a blob reference, None where there is no reference."""


def log_reader(store: ContextStore, workflow_id: str) -> ReadLog:
    """Return a reader of a workflow's logs."""

    def read(ref: BlobRef | None) -> Log | None:
        if ref is None:
            return None
        try:
            text = store.get_blob(workflow_id, ref).decode("utf-8", "replace")
        except (NotFound, ChecksumMismatch, BadIdentifier) as error:
            return Log(ref.sha256, ref.size, missing=error.message)
        return shorten(ref, text)

    return read


def shorten(ref: BlobRef, text: str) -> Log:
    """Return a log's beginning and end, cut at line ends where there are any nearby."""
    text = show_invisible(text.replace("\r\n", "\n"))
    if len(text) <= HEAD + TAIL:
        return Log(ref.sha256, ref.size, text)
    head, tail = text[:HEAD], text[-TAIL:]
    head = head[: head.rfind("\n") + 1] or head
    start = tail.find("\n")
    return Log(ref.sha256, ref.size, head, tail[start + 1 :] if 0 <= start < TAIL // 2 else tail)


def evidence(context: Context, read: ReadLog) -> Listed[EvidenceRow]:
    """Return every check's evidence."""
    waivers = check_waivers(context)

    def row(one: Evidence) -> EvidenceRow:
        made = evidence_row(one, read)
        return made if made.status.word == "passed" else replace(made, waiver=waivers.get(made.check))

    return listed(context.evidence or [], row, most=_MOST, budget=900_000)


def evidence_row(one: Evidence, read: ReadLog) -> EvidenceRow:
    """Return what one check gave."""
    tests = one.figures.tests
    return EvidenceRow(
        check=plain(one.check, 120),
        kind=plain(one.kind, 80),
        status=status(plain(one.status, 80)),
        reused=bool(one.reused),
        argv=tuple(plain(word, 300) for word in one.argv[:60]),
        exit_code=plain(one.exit_code, 20),
        seconds=number(one.seconds),
        tree=plain(one.tree, 80),
        reason=plain(one.reason),
        results=(*_results(one.figures), *_second_pass(one.second_pass)),
        failures=listed(tests.failures if tests else (), _failure, most=20, budget=30_000),
        log=read(one.log),
        notes=tuple(plain(note, 300) for note in (one.notes or ())[:20]),
    )


def _results(figures: CheckFigures) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    tests, coverage = figures.tests, figures.coverage
    if tests:
        text = f"{number(tests.passed):.0f} of {number(tests.tests):.0f} passed"
        counts = {"failed": tests.failed, "errors": tests.errors, "skipped": tests.skipped}
        counts |= {"flaky": tests.flaky or 0, "passed unexpectedly": tests.xpassed or 0}
        more = [f"{number(count):.0f} {name}" for name, count in counts.items() if count]
        pairs.append(("Tests", ", ".join([text, *more])))
    if coverage:
        pairs.append(("Coverage", f"{number(coverage.percent):.2f} %"))
        if lines := coverage.lines:
            pairs.append(("Lines", f"{number(lines.covered):.0f} of {number(lines.total):.0f}"))
    if api := figures.api:
        tried = f"{number(api.operations):.0f} operations tried, {number(api.replayed):.0f} examples sent"
        pairs.append(("Running server", f"{tried}, {number(api.failures + api.broken):.0f} failures"))
    if files := figures.contract_files:
        pairs.append(("Contract files", f"{number(files.read):.0f} read, {number(files.unread):.0f} unread"))
    known = {"tests", "coverage", "contract_files", "api"}
    others = [(key, value) for key, value in figures.to_json().items() if key not in known]
    pairs += [(plain(key, 80), plain(value, 300)) for key, value in others[:12]]
    return tuple(pairs)


def _second_pass(one: SecondPass | None) -> tuple[tuple[str, str], ...]:
    if one is None:
        return ()
    said = {
        "same": f"{number(one.tests):.0f} tests, {number(one.put_back):.0f} files put back: the same",
        "differs": f"{number(one.tests):.0f} tests, {number(one.put_back):.0f} files put back: not the same",
    }
    return (("The base's own tests", said.get(one.status) or plain(f"{one.status}: {one.reason}", 300)),)


def _failure(one: TestFailure) -> tuple[str, str]:
    return plain(one.test, 300), plain(one.message, 1_000)
