"""The security scanners plait knows: how each is started, what its report says, and what must not be kept of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from contexts.documents.figures import ScannerHit
from contexts.spec.checks import SecurityCheck
from tasks.checks.bench import Step

_SAYS_THE_VALUE = {"B105", "B106", "B107"}
"""Bandit's rules whose message holds the password they found."""
_SEVERITIES: Mapping[str, Literal["high", "medium"]] = {"high": "high", "medium": "medium"}
"""What bandit calls so; all else counts as low."""


class Unreadable(Exception):
    """A scanner that did not run, or whose report says too little; the text says why."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """One tool.

    Attributes:
        module: Python module that is started.
        package: What to install.
        arguments: Its command line after the module, without paths.
        read: Reads its report into hits; raises `Unreadable`.
        network: It asks a service; without an answer it counts as not run.
    """

    module: str
    package: str
    arguments: tuple[str, ...]
    read: Callable[[bytes, Path], tuple[ScannerHit, ...]]
    network: bool = False


class _Unread(BaseModel):
    """A file that bandit could not read."""

    filename: str
    reason: str


class _Weakness(BaseModel):
    """One result of bandit's."""

    test_id: str
    test_name: str
    issue_severity: str
    issue_text: str
    filename: str
    line_number: int


class _Bandit(BaseModel):
    """Bandit's JSON; ``metrics`` are by file, and of all."""

    errors: list[_Unread]
    metrics: dict[str, object]
    results: list[_Weakness]


class _Secret(BaseModel):
    """One secret that detect-secrets found."""

    type: str
    line_number: int
    hashed_secret: str


class _DetectSecrets(BaseModel):
    """Detect-secrets' JSON: what was found, by file."""

    results: dict[str, list[_Secret]]


class _Vulnerability(BaseModel):
    """One vulnerability that pip-audit knows of."""

    id: str
    fix_versions: list[str] | None = None


class _Dependency(BaseModel):
    """One dependency that pip-audit looked at, or says why it did not."""

    name: str
    version: str = ""
    skip_reason: str | None = None
    vulns: list[_Vulnerability] = []


class _PipAudit(BaseModel):
    """Pip-audit's JSON."""

    dependencies: list[_Dependency]


def _fingerprint(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def _line(tree: Path, name: str, number: int) -> str:
    """Return a line of a scanned file without its indentation; empty where there is none."""
    file = tree / name
    if not file.is_file() or file.stat().st_size > 10_000_000:
        return ""
    lines = file.read_bytes().splitlines()
    return lines[number - 1].decode("utf-8", "replace").strip() if 0 < number <= len(lines) else ""


def read_bandit(raw: bytes, tree: Path) -> tuple[ScannerHit, ...]:
    """Read bandit's JSON.

    Raises:
        Unreadable: No report, or one that leaves files out.
    """
    report = _Bandit.model_validate_json(raw)
    if report.errors:
        raise Unreadable(f"it could not read {report.errors[0].filename}: {report.errors[0].reason}")
    if len(report.metrics) < 2:
        raise Unreadable("it found no Python file to scan")
    hits: list[ScannerHit] = []
    for one in report.results:
        path = _relative(one.filename, tree)
        hits.append(
            ScannerHit(
                rule=one.test_id,
                severity=_SEVERITIES.get(one.issue_severity.lower(), "low"),
                path=path,
                line=one.line_number,
                message=one.test_name.replace("_", " ") if one.test_id in _SAYS_THE_VALUE else one.issue_text,
                fingerprint=_fingerprint(one.test_id, path, _line(tree, path, one.line_number)),
            )
        )
    return tuple(hits)


def read_detect_secrets(raw: bytes, tree: Path) -> tuple[ScannerHit, ...]:
    """Read detect-secrets' JSON; the secrets' hashes go no further than fingerprints of fingerprints."""
    return tuple(
        ScannerHit(
            rule=one.type,
            severity="high",
            path=_relative(name, tree),
            line=one.line_number,
            message=f"{one.type} in the code",
            fingerprint=_fingerprint(one.type, _relative(name, tree), one.hashed_secret),
        )
        for name, found in _DetectSecrets.model_validate_json(raw).results.items()
        for one in found
    )


def read_pip_audit(raw: bytes, tree: Path) -> tuple[ScannerHit, ...]:
    """Read pip-audit's JSON; it gives no severity, so every vulnerability counts as high.

    Raises:
        Unreadable: A dependency was skipped.
    """
    del tree
    report = _PipAudit.model_validate_json(raw)
    skipped = [one for one in report.dependencies if one.skip_reason is not None]
    if skipped:
        raise Unreadable(f"it skipped {skipped[0].name}: {skipped[0].skip_reason}")
    return tuple(
        ScannerHit(
            rule=found.id,
            severity="high",
            path=one.name,
            line=None,
            message=f"{one.name} {one.version} has {found.id}"
            + (f", fixed in {', '.join(found.fix_versions)}" if found.fix_versions else ", with no fix yet"),
            fingerprint=_fingerprint(found.id, one.name, one.version),
        )
        for one in report.dependencies
        for found in one.vulns
    )


def _relative(name: str, tree: Path) -> str:
    path = Path(name)
    return path.relative_to(tree).as_posix() if path.is_relative_to(tree) else path.as_posix().removeprefix("./")


SCANNERS: Mapping[str, Scanner] = {
    "bandit": Scanner("bandit", "bandit", ("-q", "-f", "json", "-r"), read_bandit),
    # Verification would send what was found to the services it belongs to.
    "detect-secrets": Scanner(
        "detect_secrets", "detect-secrets", ("scan", "--all-files", "--no-verify"), read_detect_secrets
    ),
    "pip-audit": Scanner(
        "pip_audit", "pip-audit", ("-f", "json", "--progress-spinner", "off"), read_pip_audit, network=True
    ),
}


def arguments_of(tool: str, check: SecurityCheck, tree: Path) -> tuple[str, ...]:
    """Return a tool's command line after the check's ``argv``, for the paths that a tree has.

    Raises:
        Unreadable: The tree has none of them.
    """
    scanner = SCANNERS[tool]
    wanted = check.requirements if tool == "pip-audit" else check.paths
    there = [path for path in wanted if (tree / path).exists()]
    if wanted and not there:
        raise Unreadable(f"there is no {' and no '.join(wanted)} to scan")
    rest = [part for path in there for part in ("-r", path)] if tool == "pip-audit" else there
    return (scanner.module, *scanner.arguments, *rest)


def read_report(tool: str, step: Step, tree: Path) -> tuple[ScannerHit, ...]:
    """Return what a tool that was run has found.

    Raises:
        Unreadable: It did not run, or its report cannot be read.
    """
    scanner = SCANNERS[tool]
    if not step.finished:
        raise Unreadable(step.outcome.message)
    if re.search(rb"No module named '?" + scanner.module.encode() + rb"\b", _tail(step)):
        raise Unreadable(f"not run: {scanner.package} is not installed where {step.argv[0]} looks; install it there")
    try:
        return scanner.read(step.output, tree)
    except ValidationError as error:
        if scanner.network and not step.output:
            raise Unreadable(f"not run: {step.problem}; it needs the network") from error
        raise Unreadable(f"its report cannot be read; {step.problem}") from error


def _tail(step: Step) -> bytes:
    return step.log.read_bytes()[-4096:] if step.log.is_file() else b""


def without_known(hits: Sequence[ScannerHit], known: Sequence[ScannerHit]) -> tuple[ScannerHit, ...]:
    """Return the hits that were not there before: as many of each fingerprint as were added."""
    left = Counter(hit.fingerprint for hit in known)
    new: list[ScannerHit] = []
    for hit in hits:
        if left[hit.fingerprint]:
            left[hit.fingerprint] -= 1
        else:
            new.append(hit)
    return tuple(new)
