"""References to work: endpoints, migrations and files that no track made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import plan, track, verified
from contexts.audit.source_document import SourceDocument, is_data
from contexts.contracts.paths import endpoint_name, mentions
from contexts.documents.findings import Doubt, Source
from contexts.json.values import Path, sequence, text
from contexts.text.plural import counted

_EXTERNAL = re.compile(r"external|third|upstream|vendor|mock|stub|health|example", re.IGNORECASE)


# A content hash says what was applied, and is no name that a track gave; revision ids of twelve digits are names.
_DIGEST = re.compile(
    r"(?:sha(?:1|256|512)[:-])?(?=[0-9]{0,60}[a-f])(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})"
)


@claim_rule(
    "references/endpoint",
    "warning",
    "An endpoint is measured, checked or promised that no track implements.",
    example=(
        plan("api"),
        track("api", implementation_details={"endpoints": {"GET /items/{id}": {"auth": "none"}}}),
        verified(verification_results={"performance": {"measurements": {"GET /items": "P95: 40ms"}}}),
    ),
    clean=(
        plan("api"),
        track("api", implementation_details={"endpoints": {"GET /items/{id}": {"auth": "none"}}}),
        verified(verification_results={"performance": {"measurements": {"GET /items/:id": "P95: 40ms"}}}),
    ),
    yields_to=("contracts/missing-endpoint",),
)
def endpoint(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for endpoints that the workflow's own documents name among those the tracks provide."""
    provided = {e.key for contract in documents.providers for e in contract.endpoints}
    if not provided or not documents.has_all_tracks:
        return
    missing: dict[str, list[Source]] = {}
    for document in documents.revisions:
        for path, name in _named_endpoints(document):
            if name not in provided and not any(_EXTERNAL.search(str(part)) for part in path):
                missing.setdefault(" ".join(name), []).append(document.source(path))
    if missing:
        sources = [source for places in missing.values() for source in places]
        yield doubt(
            "references/endpoint",
            f"{counted(len(missing), 'endpoint is', 'endpoints are')} named that no track implements: "
            f"{listed(sorted(missing))}",
            sources,
        )


_PLANS = frozenset({"pending_actions", "decisions", "error_log", "notes"})
"""Members that also speak of what is not there, or not of this work."""


def _named_endpoints(document: SourceDocument) -> Iterator[tuple[Path, tuple[str, str]]]:
    for path, value in document.values:
        if is_data(path) or (path and path[0] in _PLANS):
            continue
        key = path[-1] if path else ""
        name = endpoint_name(key) if isinstance(key, str) and " /" in key else None
        if name:
            yield path, name
        if isinstance(value, str) and " /" in value:
            for named in mentions(value[:4_000]):
                yield path, named


@claim_rule(
    "references/migration",
    "warning",
    "A migration is said to be applied that no track wrote.",
    example=(
        plan("api"),
        track("api", implementation_details={"database_changes": {"migration": "004_add_total"}}),
        verified(verification_results={"database_migration": {"migration": "003_add_total"}}),
    ),
    clean=(
        plan("api"),
        track("api", implementation_details={"database_changes": {"migration": "004_add_total"}}),
        verified(verification_results={"database_migration": {"migration": "004_add_total"}}),
    ),
)
def migration(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for the migrations that later documents name among the tracks' migrations and files."""
    written = [(d, path, name) for d in documents.tracks for path, name in (*_migrations(d), *_migration_files(d))]
    if not written or not documents.has_all_tracks:
        return
    known = {_stem(name) for _, _, name in written}
    known |= {_stem(text(path)) for d in documents.tracks for path in sequence(d.data.get("files_modified"))}
    for document in documents.revisions:
        for path, name in _migrations(document):
            if not any(_stem(name) in one for one in known):
                yield doubt(
                    "references/migration",
                    f"the migration {name!r} is in no track",
                    (document.source(path), *(d.source(place) for d, place, _ in written)),
                )


_MIGRATION_KEYS = frozenset({"migration", "migrations", "migration_id", "revision_id", "migration_name"})
_MIGRATION_FOLDERS = ("migrations", "migration", "versions", "migrate")


def _migrations(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    for path, value in document.texts if document.has_key(_MIGRATION_KEYS.__contains__) else ():
        if is_data(path):
            continue
        named = next((part for part in reversed(path) if isinstance(part, str)), "") in _MIGRATION_KEYS
        if named and value and " " not in value.strip() and not _DIGEST.fullmatch(value.strip()):
            yield path, value


def _migration_files(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    """Yield the files a track changed below a folder of migrations."""
    for index, raw in enumerate(sequence(document.data.get("files_modified"))):
        if not any(folder in text(raw) for folder in _MIGRATION_FOLDERS):
            continue
        file = PurePosixPath(text(raw))
        if not set(_MIGRATION_FOLDERS).isdisjoint(file.parts[:-1]) and re.match(r"[\w-]*\d", file.name):
            yield ("files_modified", index), text(raw)


def _stem(name: str) -> str:
    return (
        PurePosixPath(name.strip()).name.rsplit(".", 1)[0]
        if name.endswith((".py", ".sql"))
        else PurePosixPath(name.strip()).name
    )


@claim_rule(
    "references/file",
    "warning",
    "A track describes a file as its work that its files_modified does not hold.",
    example=(
        track("ui", files_modified=["src/a.ts"], implementation_details={"components": {"B": {"path": "src/b.ts"}}}),
    ),
    clean=(
        track(
            "ui",
            files_modified=["src/a.ts", "src/b.ts"],
            implementation_details={"components": {"B": {"path": "src/b.ts"}}},
        ),
    ),
)
def file(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for every path that a track's implementation details give to a part of it."""
    for document in documents.tracks:
        described = list(_described(document)) if document.data.get("files_modified") else []
        if not described:
            continue
        modified = {str(PurePosixPath(text(path))) for path in sequence(document.data.get("files_modified"))}
        if not modified:
            continue
        names = {PurePosixPath(path).name for path in modified}
        missing = [(path, value) for path, value in described if not _is_there(value, modified, names)]
        if missing:
            yield doubt(
                "references/file",
                f"{counted(len(missing), 'file is', 'files are')} described and not among files_modified: "
                f"{listed([value for _, value in missing])}",
                (*(document.source(path) for path, _ in missing), document.source(("files_modified",))),
            )


_FILE_KEYS = frozenset({"path", "file", "file_path", "filename"})
_FOLDER_KEYS = frozenset({"test_files", "files"})


def _described(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    for path, value in document.texts if document.has_key(_FILE_KEYS.__contains__) else ():
        if is_data(path):
            continue
        if path[:1] == ("implementation_details",) and path[-1] in _FILE_KEYS:
            suffix = PurePosixPath(value).suffix if len(value) < 300 else ""
            if 2 <= len(suffix) <= 8 and " " not in value and not value.startswith(("/", "http")) and "{" not in value:
                yield path, value
    for path, value in document.objects if document.has_key(_FOLDER_KEYS.__contains__) else ():
        if is_data(path):
            continue
        if path[:1] == ("implementation_details",) and len(path) > 1 and path[-1] in _FOLDER_KEYS:
            for name in value:
                if re.fullmatch(r"[\w.\-/]{1,200}\.[a-z]{1,5}", name):
                    yield (*path, name), name


def _is_there(value: str, modified: set[str], names: set[str]) -> bool:
    shown = str(PurePosixPath(value))
    return (
        shown in modified
        or ("/" not in shown and shown in names)
        or any(path.endswith(f"/{shown}") for path in modified)
    )
