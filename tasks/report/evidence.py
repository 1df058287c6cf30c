"""Evidence of a report: what every check gave, with the beginning and the end of its log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.refs import BlobRef
from contexts.errors import BadIdentifier, ChecksumMismatch, NotFound
from contexts.json.values import items, mapping
from contexts.store.contexts import ContextStore
from contexts.text.visible import show_invisible
from tasks.report.bounds import listed
from tasks.report.decided import check_waivers
from tasks.report.evidence_data import EvidenceRow
from tasks.report.text import number, plain
from tasks.report.values import Listed, Log, status

HEAD = 2_000
TAIL = 6_000
_MOST = 200

ReadLog = Callable[[Any], "Log | None"]
"""Makes a log of a blob reference as documents have it, None where there is no reference."""


def log_reader(store: ContextStore, workflow_id: str) -> ReadLog:
    """Return a reader of a workflow's logs."""

    def read(value: Any) -> Log | None:
        try:
            ref = BlobRef.model_validate(value)
        except ValidationError:
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


def evidence(document: JsonObject, read: ReadLog) -> Listed[EvidenceRow]:
    """Return every check's evidence."""
    waivers = check_waivers(document)

    def row(one: JsonObject) -> EvidenceRow:
        made = evidence_row(one, read)
        return made if made.status.word == "passed" else replace(made, waiver=waivers.get(made.check))

    return listed([mapping(one) for one in items(document.get("evidence"))], row, most=_MOST, budget=900_000)


def evidence_row(one: JsonObject, read: ReadLog) -> EvidenceRow:
    """Return what one check gave."""
    failures = items(mapping(mapping(one.get("result")).get("tests")).get("failures"))
    return EvidenceRow(
        check=plain(one.get("check"), 120),
        kind=plain(one.get("kind"), 80),
        status=status(plain(one.get("status"), 80)),
        reused=bool(one.get("reused")),
        argv=tuple(plain(word, 300) for word in items(one.get("argv"))[:60]),
        exit_code=plain(one.get("exit_code"), 20),
        seconds=number(one.get("seconds")),
        tree=plain(one.get("tree"), 80),
        reason=plain(one.get("reason")),
        results=_results(mapping(one.get("result"))),
        failures=listed(failures, _failure, most=20, budget=30_000),
        log=read(one.get("log")),
    )


def _results(result: JsonObject) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    tests, coverage = mapping(result.get("tests")), mapping(result.get("coverage"))
    if tests:
        text = f"{number(tests.get('passed')):.0f} of {number(tests.get('tests')):.0f} passed"
        more = [f"{number(tests.get(key)):.0f} {key}" for key in ("failed", "errors", "skipped") if tests.get(key)]
        pairs.append(("Tests", ", ".join([text, *more])))
    if coverage:
        pairs.append(("Coverage", f"{number(coverage.get('percent')):.2f} %"))
        lines = mapping(coverage.get("lines"))
        if lines:
            pairs.append(("Lines", f"{number(lines.get('covered')):.0f} of {number(lines.get('total')):.0f}"))
    others = [(key, value) for key, value in result.items() if key not in {"tests", "coverage"}]
    pairs += [(plain(key, 80), plain(value, 300)) for key, value in others[:12]]
    return tuple(pairs)


def _failure(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict):
        return plain(item, 500), ""
    one = mapping(item)
    name = next((one[key] for key in ("name", "test", "id") if one.get(key)), "")
    said = next((one[key] for key in ("message", "text", "reason") if one.get(key)), "")
    return plain(name, 300), plain(said, 1_000)
