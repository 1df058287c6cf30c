"""Lines on which a track told a check's tools to look away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from contexts.documents.findings import Finding, Source
from contexts.redaction import head_of
from contexts.spec.checks import CheckBase
from contexts.text.plural import counted, first_of

_MARKS: Mapping[str, re.Pattern[str]] = {
    "security": re.compile(
        r"#\s{0,4}nosec\b|\bpragma:?\s{0,4}(?:allow|white)list[ -]secret|\bnoqa: ?S\d", re.IGNORECASE
    ),
    "coverage": re.compile(r"#\s{0,4}pragma: ?no ?(?:cover|branch)|\b(?:istanbul|c8|v8) ignore\b", re.IGNORECASE),
}
_SHOWN = 5
_LONGEST = 10_000


def silenced(
    check: CheckBase, added: Iterable[tuple[str, int, str]], changed_by: Mapping[str, Sequence[str]]
) -> list[Finding]:
    """Return one finding that names the lines, where there are any.

    Args:
        check: The check.
        added: Path, line number and text of every line the tracks added; read only for kinds that have such marks.
        changed_by: The files each track changed.
    """
    marks = _MARKS.get(getattr(check, "kind", ""))
    if marks is None:
        return []
    places = [(path, number, text.strip()) for path, number, text in added if marks.search(text[:_LONGEST])]
    if not places:
        return []
    shown = first_of([f"{path}:{number}" for path, number, _ in places], _SHOWN)
    tracks = [task_id for task_id, files in changed_by.items() if {path for path, _, _ in places} & set(files)]
    who = f"track {' and '.join(tracks)}" if tracks else "a track"
    message = f"{who} tells the tools of check {check.id} to look away on {counted(len(places), 'line')}: {shown}"
    quotes = tuple(
        Source(document=path, pointer=f"line {number}", quote=head_of(text, 200)) for path, number, text in places[:50]
    )
    return [Finding(rule="evidence/silenced", severity="warning", message=message, sources=quotes)]
