"""Measure the audit against the corpora: recall and false alarms per family. Run as a module to see the table."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contexts.audit import AuditReport, Finding, audit
from contexts.audit.read_files import read_documents

CORPORA = Path(__file__).parent / "corpora"


@dataclass
class Measured:
    """What the audit did with all cases: defects found and missed, findings nobody planted."""

    found: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    missed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    overstated: list[tuple[str, dict[str, Any], Finding]] = field(default_factory=list)
    alarms: list[tuple[str, Finding]] = field(default_factory=list)
    notes: list[tuple[str, Finding]] = field(default_factory=list)
    stray: list[tuple[str, Finding]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return len(self.found) / max(1, len(self.found) + len(self.missed))


def report_on(case: Path) -> AuditReport:
    loaded = read_documents([path for path in sorted(case.glob("*.json")) if path.name != "expected.json"])
    return audit(loaded.documents, loaded.findings)


def is_at(finding: Finding, where: list[list[str]]) -> bool:
    """Tell whether a finding names one of a defect's places, or a value right around or inside it."""
    for source in finding.sources:
        for document, pointer in where:
            if source.document != document:
                continue
            short, long = sorted((source.pointer, pointer), key=len)
            if short == long or (short.count("/") >= 2 and long.startswith(short + "/")):
                return True
    return False


def measure(root: Path = CORPORA) -> Measured:
    result = Measured()
    for case in sorted(path.parent for path in root.glob("*/*/expected.json")):
        name = f"{case.parent.name}/{case.name}"
        expected = json.loads((case / "expected.json").read_text())
        findings = report_on(case).findings
        for defect in expected:
            hits = [f for f in findings if is_at(f, defect["where"])]
            if defect.get("decidable", True):
                told = [f for f in hits if f.severity != "note"]
                (result.found if told else result.missed).append((name, defect))
            else:
                result.overstated.extend(
                    (name, defect, f)
                    for f in hits
                    if f.severity == "blocking"
                    and not any(is_at(f, d["where"]) for d in expected if d.get("decidable", True))
                )
        for finding in findings:
            if any(is_at(finding, defect["where"]) for defect in expected):
                continue
            if not expected:
                (result.notes if finding.severity == "note" else result.alarms).append((name, finding))
            elif finding.severity != "note":
                result.stray.append((name, finding))
    return result


def table(result: Measured) -> str:
    found = Counter(defect["family"] for _, defect in result.found)
    missed = Counter(defect["family"] for _, defect in result.missed)
    alarms = Counter(finding.family for _, finding in result.alarms)
    stray = Counter(finding.family for _, finding in result.stray)
    notes = Counter(finding.family for _, finding in result.notes)
    rows = [f"{'family':<12} {'found':>5} {'of':>4} {'recall':>7} {'alarms':>7} {'notes':>6} {'stray':>6}"]
    for family in sorted({*found, *missed, *alarms, *stray, *notes}):
        total = found[family] + missed[family]
        recall = f"{found[family] / total:.2f}" if total else "-"
        rows.append(
            f"{family:<12} {found[family]:>5} {total:>4} {recall:>7} {alarms[family]:>7} {notes[family]:>6} {stray[family]:>6}"
        )
    total = len(result.found) + len(result.missed)
    rows.append(
        f"{'all':<12} {len(result.found):>5} {total:>4} {result.recall:>7.2f} {len(result.alarms):>7} {len(result.notes):>6} {len(result.stray):>6}"
    )
    return "\n".join(rows)


if __name__ == "__main__":
    measured = measure()
    sys.stdout.write(table(measured) + "\n")
    if "-v" in sys.argv:
        for case, defect in measured.missed:
            sys.stdout.write(
                f"MISSED {case} {defect['id']} [{defect['family']}] {defect['what']}\n    {defect['where']}\n"
            )
        for label, group in (("ALARM", measured.alarms), ("STRAY", measured.stray), ("NOTE", measured.notes)):
            for case, finding in group:
                place = "; ".join(f"{s.document}{s.pointer} = {s.quote[:90]!r}" for s in finding.sources[:3])
                sys.stdout.write(f"{label} {case} {finding.severity} {finding.rule}: {finding.message}\n    {place}\n")
        for case, defect, finding in measured.overstated:
            sys.stdout.write(f"OVERSTATED {case} {defect['id']} {finding.rule}: {finding.message}\n")
