"""Claims: passes, approvals and references to documentation that the documents themselves do not bear out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from contexts.audit.documents import DocumentSet
from contexts.audit.prose.statements import Statement, done, open_items
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt
from contexts.json.pointer import pointer, resolve
from contexts.json.values import Path, mapping, sequence, text
from contexts.text.plural import counted
from contexts.text.subjects import is_place, plain, same_subject, subject

_GOOD = re.compile(
    r"\A(?:pass(?:ed)?|success(?:ful)?|succeeded|completed?|done|ok|green|verified|aligned|approved|met|ready)\Z",
    re.IGNORECASE,
)
FINISHED = re.compile(r"\A(?:pass(?:ed)?|success(?:ful)?|succeeded|completed?|done|green|verified)\Z", re.IGNORECASE)


@claim_rule(
    "claims/pass-beside-pending",
    "warning",
    "Something is called passed or done while an action on the same subject is still pending in the same document.",
    example=(
        verified(
            verification_results={
                "security": {"status": "passed", "checks": ["✅ CORS restricted to allowed origins"]}
            },
            pending_actions=["Set CORS origin for the public domain"],
        ),
    ),
    clean=(
        verified(
            verification_results={
                "security": {"status": "passed", "checks": ["✅ CORS restricted to allowed origins"]}
            },
            pending_actions=["Announce the release"],
        ),
    ),
)
def pass_beside_pending(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare what a document calls done with what it lists as pending, by subject."""
    for document in documents.current:
        if not done(document) or not open_items(document):
            continue
        open_ones = [_placed(document, item) for item in open_items(document)]
        common = _common(documents, [*open_ones, *done(document)])
        by_stem: dict[str, list[Statement]] = {}
        for item in open_ones:
            for word in subject(item.words).stems:
                by_stem.setdefault(word, []).append(item)
        for claim in (_placed(document, one) for one in done(document)):
            near = {id(i): i for word in sorted(subject(claim.words).stems) for i in by_stem.get(word, ())}
            against = [
                item
                for item in near.values()
                if item.path != claim.path
                and not _same_elsewhere(claim, item)
                and (same_subject(claim.words, item.words, common) or _verifies(claim, item))
            ]
            if against:
                yield doubt(
                    "claims/pass-beside-pending",
                    f"{claim.shown!r} is called done, and {against[0].shown!r} is still pending",
                    (document.source(claim.path), *(document.source(item.path) for item in against)),
                )


_VERIFICATION = re.compile(
    r"\b(?:audit|review|scan|assessment|test(?:s|ing)?|check(?:s|ing)?|verif\w{2,9}|inspection)\b", re.IGNORECASE
)


# A verification by others, or a later one, does not contradict that this one passed.
_ANOTHER = re.compile(
    r"\b(?:external|third[- ]party|independent|yearly|annual|quarterly|monthly|weekly|next|repeat|again|re-?run"
    r"|schedule|plan|book|after|follow[- ]?up|regular)\b",
    re.IGNORECASE,
)


_FURTHER = re.compile(r" (?:on|for|in|at|with|of) ")


def _same_elsewhere(claim: Statement, item: Statement) -> bool:
    """Tell whether an open action is the finished one, word for word, for somebody or somewhere else."""
    done_words, open_words = plain(claim.words), plain(item.words)
    return open_words.startswith(done_words) and _FURTHER.match(open_words, len(done_words)) is not None


def _verifies(claim: Statement, item: Statement) -> bool:
    """Tell whether an open action is the verification of a whole area that is called passed."""
    if _ANOTHER.search(item.words):
        return False
    area = claim.path[:1] == ("verification_results",) and len(claim.path) == 3
    mine, theirs = subject(claim.words), subject(item.words)
    if not area or len(mine.stems) != 1 or not mine.stems <= theirs.stems or len(min(mine.stems)) < 5:
        return False
    return bool(_VERIFICATION.search(item.words)) and not theirs.later and not theirs.places - mine.places


def _placed(document: SourceDocument, statement: Statement) -> Statement:
    """Add to a statement the environments that its place in the document names: it holds for those."""
    names = [part for part in statement.path if isinstance(part, str) and is_place(part)]
    around: object = document.data
    for part in statement.path[:-1]:
        around = mapping(around).get(str(part)) if isinstance(around, dict) else sequence(around)[int(part)]
    names += [text(v) for key in ("applied_to", "environments") for v in sequence(mapping(around).get(key))]
    places = " ".join(name for name in names if is_place(name))
    return replace(statement, words=f"{places} {statement.words}") if places else statement


def _common(documents: DocumentSet, statements: list[Statement]) -> frozenset[str]:
    """Return the stems that the workflow is named after, or that many of a document's statements share."""
    named = " ".join(text(mapping(d.data.get("feature_spec")).get("name")) for d in documents.revisions)
    counts = Counter(word for statement in statements for word in subject(statement.words).stems)
    frequent = {word for word, count in counts.items() if count >= 4 and count * 4 >= len(statements)}
    return subject(named).stems | subject(documents.workflow_id.replace("-", " ")).stems | frequent


@claim_rule(
    "claims/done-with-errors",
    "warning",
    "A document calls itself complete while an error in it is unresolved.",
    example=(
        track(
            "api",
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": False}
            ],
        ),
    ),
    clean=(
        track(
            "api",
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ],
        ),
    ),
)
def done_with_errors(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare phase and status with the error log."""
    carried = set[str]()
    for document in documents.revisions:
        if complete(document):
            unresolved = list(_unresolved(document))
            carried.update(_error(document, path) for path in unresolved)
            yield from _with_errors(document, unresolved)
    for document in documents.tracks:
        if complete(document):
            own = [path for path in _unresolved(document) if _error(document, path) not in carried]
            yield from _with_errors(document, own)


def _with_errors(document: SourceDocument, unresolved: list[Path]) -> Iterator[Doubt]:
    if unresolved:
        said = ("status",) if _GOOD.match(document.claimed_status) else ("phase",)
        yield doubt(
            "claims/done-with-errors",
            f"{document.source(said).quote!r} with {counted(len(unresolved), 'unresolved error')}",
            (*(document.source(path) for path in unresolved), document.source(said)),
        )


def complete(document: SourceDocument) -> bool:
    """Tell whether a document calls itself complete by its phase or status."""
    phase = document.claimed_phase
    ended = re.search(r"complete|verified|ready|done|passed|deployed", phase)
    return bool(ended and not re.search(r"fail|incomplete|partial|not-|blocked", phase)) or bool(
        _GOOD.match(document.claimed_status)
    )


def _error(document: SourceDocument, path: Path) -> str:
    """Return what an entry of the error log says, by the path of its ``resolved``."""
    return text(mapping(resolve(document.data, pointer(*path[:2]))).get("error"))


def _unresolved(document: SourceDocument) -> Iterator[Path]:
    for index, entry in enumerate(sequence(document.data.get("error_log"))):
        if mapping(entry).get("resolved") is False or text(mapping(entry).get("status")) in {"open", "unresolved"}:
            key = "resolved" if "resolved" in mapping(entry) else "status"
            yield ("error_log", index, key)


@claim_rule(
    "claims/ready-with-open-prerequisites",
    "note",
    "Something is called ready while some of its own prerequisites are open.",
    example=(
        verified(
            deployment_readiness={
                "production": {"status": "ready", "prerequisites": ["✅ Smoke run", "⏳ Rotate the signing key"]}
            }
        ),
    ),
    clean=(
        verified(
            deployment_readiness={
                "production": {"status": "waiting", "prerequisites": ["✅ Smoke run", "⏳ Rotate the signing key"]}
            }
        ),
    ),
)
def ready_with_open_prerequisites(documents: DocumentSet) -> Iterator[Doubt]:
    """Look beside every ready status for open list items."""
    for document in documents.current:
        for path, members in document.objects_with("status".__eq__):
            if text(members.get("status")).strip().lower() not in {"ready", "go", "cleared"}:
                continue
            left = [item for item in open_items(document) if item.path[: len(path)] == path and path]
            if left:
                yield doubt(
                    "claims/ready-with-open-prerequisites",
                    f"called {members['status']!r} with {counted(len(left), 'open prerequisite')}",
                    (document.source((*path, "status")), *(document.source(item.path) for item in left)),
                )
