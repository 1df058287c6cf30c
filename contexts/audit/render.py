"""Lay findings out for a terminal: grouped by severity, both quotes side by side, in plain lines."""

from __future__ import annotations

from collections.abc import Iterator

from contexts.audit.findings import AuditReport
from contexts.documents.findings import SEVERITIES, Finding, Source
from contexts.text.ellipsis import brief
from contexts.text.plural import and_more, counted

_SHOWN = 6


def lines(report: AuditReport, width: int = 100) -> Iterator[str]:
    """Yield the report line by line; quotes of two sources stand side by side where ``width`` allows."""
    for severity in SEVERITIES:
        group = [finding for finding in report.findings if finding.severity == severity]
        if group:
            yield f"{severity.upper()} ({len(group)})"
            for finding in group:
                yield from _finding(finding, width)
            yield ""
    summary = report.summary
    told = ", ".join(f"{summary[severity]} {severity}" for severity in SEVERITIES)
    yield f"{counted(len(report.documents), 'document')}: {told}"


def _finding(finding: Finding, width: int) -> Iterator[str]:
    yield f"  {finding.rule}"
    yield f"    {finding.message}"
    shown = finding.sources[:_SHOWN]
    if len(shown) == 2 and width >= 60:
        half = (width - 7) // 2
        for left, right in zip(_side(shown[0], half), _side(shown[1], half), strict=True):
            yield f"    {left:<{half}} | {right}".rstrip()
    else:
        for source in shown:
            place, quoted = _side(source, width - 6)
            yield f"      {place}"
            if quoted:
                yield f"        {quoted}"
    if more := and_more(len(finding.sources) - _SHOWN, "place"):
        yield f"      … {more}"


def _side(source: Source, width: int) -> tuple[str, str]:
    return _cut(f"{source.document}{source.pointer}", width), _cut(source.quote, width)


def _cut(value: str, width: int) -> str:
    printable = "".join(sign if sign.isprintable() else "�" for sign in value)
    return brief(printable, width)
