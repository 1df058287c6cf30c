"""The five areas of verification, as the final context shows them: each with the evidence that decided it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contexts.documents.base import JsonObject
from contexts.json.values import entries, section

AREAS = {
    "contract": "api_contract_alignment",
    "tests": "test_execution",
    "coverage": "test_execution",
    "command": "test_execution",
    "performance": "performance",
    "security": "security",
    "migrations": "database_migration",
}
"""Which of the five areas of verification a kind of check belongs to."""


def areas_of(evidence: Sequence[JsonObject]) -> dict[str, JsonObject]:
    """Return the five areas of verification, each with the evidence that decided it.

    An area without evidence is ``unverified``, never passed. Beside the evidence stand the lines people read: test
    counts by check, measured times by request with their targets, the migration.
    """
    areas: dict[str, JsonObject] = {}
    for area in dict.fromkeys(AREAS.values()):
        own = [one for one in evidence if AREAS.get(str(one["kind"])) == area]
        statuses = {one["status"] for one in own}
        status = next((each for each in ("failed", "unverified", "passed") if each in statuses), "unverified")
        entry: JsonObject = {"status": status, "checks": [_line(one) for one in own]}
        if not own:
            entry["reason"] = "the spec has no check of this area"
        entry |= _LINES[area](own) if area in _LINES else {}
        areas[area] = entry
    return areas


def _line(one: JsonObject) -> JsonObject:
    line: JsonObject = {
        "check": one["check"],
        "status": one["status"],
        "exit_code": one.get("exit_code"),
        "seconds": one["seconds"],
        "tree": one.get("tree"),
    }
    for key in ("result", "log", "reason", "notes", "steps"):
        if one.get(key):
            line[key] = one[key]
    return line


def _test_lines(evidence: Sequence[JsonObject]) -> JsonObject:
    counted = {str(one["check"]): section(section(one, "result"), "tests") for one in evidence}
    counted = {name: counts for name, counts in counted.items() if counts.get("tests")}
    if not counted:
        return {}
    passed, all_of = (sum(int(counts[key]) for counts in counted.values()) for key in ("passed", "tests"))
    results = {name: _share(int(counts["passed"]), int(counts["tests"])) for name, counts in counted.items()}
    return {"results": results, "total": f"{_share(passed, all_of, 'tests ')}"}


def _share(passed: int, total: int, what: str = "") -> str:
    # Rounded down: 100 % is said only of all.
    return f"{passed}/{total} {what}passed ({100 * passed // total}%)"


def _load_lines(evidence: Sequence[JsonObject]) -> JsonObject:
    lines: dict[str, str] = {}
    for one in evidence:
        for name, figures in section(section(section(one, "result"), "performance"), "requests").items():
            times = ", ".join(
                f"P{share}: {figures[key]:g}ms" for share in (50, 95, 99) if (key := f"p{share}_ms") in figures
            )
            wanted = ", ".join(
                f"{key.removesuffix('_ms').upper()} <= {most:g}ms"
                for key, most in section(figures, "targets").items()
                if key.endswith("_ms")
            )
            errors = f", {figures['errors']} of {figures['count']} requests failed" if figures.get("errors") else ""
            title = f"{figures['method']} {figures['path']}"
            title = title if title not in lines else f"{title} ({name})"
            lines[title] = f"{times or 'no time'}{errors}" + (f" (target {wanted})" if wanted else "")
    return {"measurements": lines} if lines else {}


def _migration_lines(evidence: Sequence[JsonObject]) -> JsonObject:
    heads = [head for one in evidence for head in entries(section(section(one, "result"), "migrations"), "heads")]
    return {"migration": ", ".join(map(str, heads))} if heads else {}


_LINES: dict[str, Any] = {
    "test_execution": _test_lines,
    "performance": _load_lines,
    "database_migration": _migration_lines,
}
