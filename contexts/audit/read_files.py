"""Read context documents from files and folders; what cannot be read becomes a finding, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contexts.audit.findings import listed
from contexts.audit.gc_pause import paused_collection
from contexts.audit.plait_records import is_own, without_records
from contexts.audit.registry import found
from contexts.audit.source_document import SourceDocument
from contexts.documents.exact_json import Doubled, Odd, is_deeper, read_exactly
from contexts.documents.findings import Finding, Severity, Source
from contexts.errors import DocumentError
from contexts.json.values import mapping, text

LARGEST = 5_000_000
DEEPEST = 60
_REQUIRED = ("version", "workflow_id", "timestamp", "current_agent", "phase")
_SKIPPED_FOLDERS = {".git", "node_modules", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache"}
_PROSE = {".md", ".txt", ".markdown"}


@dataclass(frozen=True)
class FilesRead:
    """What was read: documents, findings about files that could not be judged, and files of other kinds left alone."""

    documents: tuple[SourceDocument, ...]
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()


class _DuplicateKey(ValueError):
    """A key stands twice in one object."""


def read_documents(paths: Sequence[str | os.PathLike[str]]) -> FilesRead:
    """Read files and folders (hidden ones such as ``.claude/context`` too).

    Files named directly are always read; in folders ``*.json`` is, and Markdown or text that names a workflow there.

    Raises:
        DocumentError: A path does not exist, or nothing that could be judged was found.
    """
    with paused_collection():
        return _read_documents(paths)


def _read_documents(paths: Sequence[str | os.PathLike[str]]) -> FilesRead:
    documents, findings, skipped = list[SourceDocument](), list[Finding](), list[str]()
    prose = list[SourceDocument]()
    files = list(_files(paths))
    names = _names([path for path, _ in files])
    for (path, named), name in zip(files, names, strict=True):
        if path.suffix.lower() in _PROSE:
            report = _read_prose(path, name)
            (documents if named and report else prose).extend([report] if report else [])
            skipped.extend([] if report else [name])
            continue
        if path.suffix.lower() != ".json" and not named:
            skipped.append(name)
            continue
        document, problems = _read(path, name, named=named)
        documents.extend([document] if document else [])
        findings.extend(problems)
    workflows = {document.workflow_id for document in documents if document.workflow_id}
    for report in prose:
        told = any(workflow in line for _, line in report.texts for workflow in workflows)
        (documents.append(report) if told else skipped.append(report.name))
    if not documents and not findings:
        shown = listed([str(path) for path in paths])
        raise DocumentError(f"no context documents in {shown}: name files or folders that hold *.json contexts")
    return FilesRead(tuple(documents), tuple(findings), tuple(skipped))


def _files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[tuple[Path, bool]]:
    """Yield files once each, and whether they were named directly."""
    seen = set[Path]()
    for raw in paths:
        path = Path(raw)
        if not path.exists():
            raise DocumentError(f"{path} does not exist: name context files or a folder of them", path=str(path))
        inside = [path] if path.is_file() else sorted(_below(path))
        for file in inside:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file, path.is_file()


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
        for path in (Path(root) / name for name in files):
            if path.is_file() or not path.exists():  # pipes and devices never end; a link to nothing is told of
                yield path


def _names(paths: Sequence[Path]) -> list[str]:
    """Return file names; where two are the same, as much of the path as tells them apart."""
    counts: dict[str, int] = {}
    for path in paths:
        counts[path.name] = counts.get(path.name, 0) + 1
    return [path.name if counts[path.name] == 1 else path.as_posix() for path in paths]


def _read(path: Path, name: str, *, named: bool) -> tuple[SourceDocument | None, list[Finding]]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            return None, [
                _problem("input/too-large", name, f"{name} has {size:,} bytes; more than {LARGEST:,} are not read")
            ]
        body = path.read_bytes()
    except OSError as error:
        return None, [_problem("input/not-json", name, f"{name} cannot be read: {error.strerror or error}")]
    return parse(name, body, named=named)


def parse(name: str, body: bytes, *, named: bool = True) -> tuple[SourceDocument | None, list[Finding]]:
    """Parse one file's content into a document, or say in findings why it cannot be judged."""
    if len(body) > LARGEST:
        return None, [
            _problem("input/too-large", name, f"{name} has {len(body):,} bytes; more than {LARGEST:,} are not read")
        ]
    try:
        data: Any = read_exactly(body.decode("utf-8-sig"), _refuse)
    except _DuplicateKey as error:
        return None, [_problem("input/duplicate-key", name, f"{name}: {error}")]
    except RecursionError:
        return None, [_problem("input/too-deep", name, f"{name} is nested deeper than {DEEPEST} levels")]
    except ValueError as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)[:200]
        return None, [_problem("input/not-json", name, f"{name} is not JSON: {reason}")]
    if is_deeper(data, DEEPEST):
        return None, [_problem("input/too-deep", name, f"{name} is nested deeper than {DEEPEST} levels")]
    return _judge(name, data, len(body), named=named)


def _judge(name: str, data: Any, size: int, *, named: bool) -> tuple[SourceDocument | None, list[Finding]]:
    members = mapping(data)
    if not (text(members.get("workflow_id")) or text(members.get("task_id"))):
        milder: Severity | None = None if named else "note"
        message = f"{name} is no context document: it has no workflow_id"
        return None, [_problem("input/not-a-context", name, message, milder)]
    version = text(members.get("version"))
    if version.split(".", 1)[0].isdigit() and int(version.split(".", 1)[0][:6]) > 1:
        message = f"{name} has version {version[:20]!r}; this program knows 1: update it"
        return None, [
            Finding(
                rule="input/newer-version",
                severity="blocking",
                message=message,
                sources=(Source(document=name, pointer="/version", quote=version[:20]),),
            )
        ]
    missing = [key for key in _REQUIRED if not text(members.get(key))]
    findings = [_problem("input/incomplete-context", name, f"{name} lacks {listed(missing, 5)}")] if missing else []
    if is_own(members):
        return SourceDocument(name, without_records(members), size), findings
    return SourceDocument(name, members, size), findings


def _problem(rule: str, name: str, message: str, severity: Severity | None = None) -> Finding:
    return found(rule, message, (Source(document=name, pointer="", quote=""),), severity)


def _refuse(met: Odd | Doubled) -> float:
    if isinstance(met, Doubled):
        raise _DuplicateKey(f"the key {met.key[:80]!r} stands twice in one object")
    if met.is_integer:
        raise ValueError(f"the integer {met[:30]} has more than 64 bits")
    if met.is_word:
        raise ValueError(f"{met} is no JSON value")
    return float(met)


def _read_prose(path: Path, name: str) -> SourceDocument | None:
    try:
        if path.stat().st_size > LARGEST:
            return None
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return SourceDocument(name, {"lines": lines}, path.stat().st_size, prose=True)
