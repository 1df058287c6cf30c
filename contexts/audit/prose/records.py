"""Claims of a record: what is said to be documented, reviewed, approved or audited, and is written nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.prose.statements import Statement, done
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import merged, plan, track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt, Source
from contexts.json.values import Path, mapping, sequence, text
from contexts.text.subjects import stem, subject

_DOCUMENTED = re.compile(
    r"\b(?:as|already|fully)\s{1,3}(?:documented|specified|described|agreed|defined)\b(?: (?:by"
    r"|in) (?:the )?[\w.-]{1,40})?"
    r"|\b(?:per|according to|see|matches) (?:the )?(?:docs?|documentation|spec(?:ification)?|openapi|contract)\b",
    re.IGNORECASE,
)


_AS_DOCUMENTED = re.compile(r"documented|specified|described|agreed|defined|per |according|see |matches")
_CODES = re.compile(r"(?<![\d.])[1-5]\d{2}(?![\d.%])(?!\s?(?:ms|s|x|MB|KB|%|chars|users|requests|req|rows|minutes))")


_NAMES = re.compile(
    r"(?<![\w./])(?:[A-Za-z][A-Za-z0-9]{1,40}(?:[._][A-Za-z0-9]{1,40}){1,5}|[a-z]{1,30}[A-Z][A-Za-z0-9]{1,40})(?![\w/(])"
)


_REVIEW = re.compile(
    r"\b(?:(?:peer |code |design |security |legal |accessibility |privacy |compliance "
    r"|architecture )?review(?:ed)?|approv(?:ed|al)|signed[ -]off|sign-?off"
    r"|assessment(?= (?:was |is |has been )?(?:signed|approved|accepted|completed?|passed)\b)|DPIA|signed assessment"
    r"|audit(?:ed)?|penetration[ -]test(?:ed|ing)?|pen[ -]?test(?:ed)?|certified|certification)\b",
    re.IGNORECASE,
)


# A name with a hyphen or underscore is that of a person, a group or an office of this workflow.
_BY = re.compile(r"\bby (?:the )?([A-Za-z0-9]{1,30}(?:[-_][A-Za-z0-9]{1,30}){1,4})\b")
# What speaks of an earlier review, or of what one found, claims none.
_PAST = re.compile(
    r"\b(?:last|previous|earlier|prior|former|past)\b[^.;]{0,30}\b(?:review|audit|approval|certification|pen)"
    r"|\b(?:findings?|issues|results?|comments|remarks|recommendations) (?:of|from|by|in) (?:the |an? |our )?"
    r"(?:[\w'\u2019-]{1,20} ){0,3}(?:review|audit|pen)",
    re.IGNORECASE,
)
# The name of an action that was done is no word of approval.
_TO_DO = re.compile(
    r"\s{0,3}(?:run|do|prepare|plan|schedule|request|book|order|write|add|create|set up|start|repeat|ask|apply|get)\b"
    r"(?! ?(?:passed|approved|reviewed))",
    re.IGNORECASE,
)


_EVIDENCE_KEY = re.compile(r"review|approv|audit|sign_?off|signed|pen_?test|certif|attest", re.IGNORECASE)


_EVIDENCED = re.compile(
    r"\d{4}-\d{2}-\d{2}|https?://|\.(?:md|pdf|html|json|txt|sarif)\b|#\d{1,6}\b|\b[A-Z]{2,8}-\d{1,6}\b"
)


@claim_rule(
    "claims/undocumented",
    "warning",
    "Something is said to be as documented, and no provider documents it.",
    example=(
        plan("api"),
        track("api", implementation_details={"endpoints": {"GET /items": {"auth": "none"}}}),
        merged(
            integration_concerns=[{"concern": "Errors", "provides": "400 and 404 as documented", "status": "aligned"}]
        ),
    ),
    clean=(
        plan("api"),
        track("api", implementation_details={"endpoints": {"GET /items": {"error_codes": [400, 404]}}}),
        merged(
            integration_concerns=[{"concern": "Errors", "provides": "400 and 404 as documented", "status": "aligned"}]
        ),
    ),
)
def undocumented(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for the codes, names or subject of such a sentence in what the track it names, or any provider, wrote."""
    if not documents.has_all_tracks:
        return
    for document in documents.revisions:
        for path, value in document.holding(_AS_DOCUMENTED):
            match = _DOCUMENTED.search(value)
            missing = list(_not_written(documents, path, value, match.group())) if match else []
            if missing:
                author = _named_track(documents, path, value) or _first_provider(documents)
                yield doubt(
                    "claims/undocumented",
                    f"{listed(missing)} said to be documented, and {author.name} does not document it",
                    (document.source(path), author.source(("task_id",))),
                )


def _first_provider(documents: DocumentSet) -> SourceDocument:
    return documents.by_name[documents.providers[0].document] if documents.providers else documents.tracks[0]


def _named_track(documents: DocumentSet, path: Path, value: str) -> SourceDocument | None:
    """Return the track a sentence or its key names."""
    key = str(path[-1])
    for task_id, document in documents.track.items():
        if task_id in value or key.startswith((f"{task_id}_", f"{task_id} ")):
            return document
    return None


def _not_written(documents: DocumentSet, path: Path, value: str, phrase: str) -> Iterator[str]:
    """Yield what a sentence says is documented and is not: status codes, else names, else its whole subject."""
    author = _named_track(documents, path, value)
    endpoints = [e for c in documents.providers if author is None or c.document == author.name for e in c.endpoints]
    codes = [int(code) for code in dict.fromkeys(_CODES.findall(value))]
    if codes:
        declared = {code.status for e in endpoints for code in e.codes or ()}
        if endpoints and not any(e.any_code for e in endpoints):
            yield from (str(code) for code in codes if code not in declared)
        return
    written = [author] if author else list(documents.tracks)
    names = [name for name in _NAMES.findall(value) if name not in documents.track]
    if names:
        yield from (name for name in dict.fromkeys(names) if not any(_writes(d, name) for d in written))
        return
    rest = value.replace(phrase, " ")
    for task_id in documents.track:
        rest = rest.replace(task_id, " ")
    about = subject(rest).stems - {"match", "expect", "return", "answer"}
    if author is not None and about and not any(about & subject(line).stems for d in written for line in _lines(d)):
        yield repr(rest.strip(" ✅✓:,.")[:80])


def _writes(document: SourceDocument, name: str) -> bool:
    return any(name in line for line in _lines(document))


def _lines(document: SourceDocument) -> Iterator[str]:
    """Yield every text and key of a document."""
    yield from (value for _, value in document.texts)
    yield from (path[-1].replace("_", " ") for path, _ in document.values if path and isinstance(path[-1], str))


@claim_rule(
    "claims/approval-without-record",
    "warning",
    "A review, approval or audit is claimed that no document records.",
    example=(verified(deployment_readiness={"production": {"prerequisites": ["✅ Code reviewed and approved"]}}),),
    clean=(
        verified(
            deployment_readiness={"production": {"prerequisites": ["✅ Code reviewed and approved"]}},
            reviews=[{"subject": "code", "by": "lead", "verdict": "approved"}],
        ),
    ),
)
def approval_without_record(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for a member that records what a sentence claims: who, when or where; prose that repeats it is no record."""
    groups: dict[str, list[Source]] = {}
    shown: dict[str, str] = {}
    for document in documents.current:
        for claim in _approvals(document):
            kind = _kind_of_approval(claim.words)
            if _recorded(documents, claim):
                continue
            groups.setdefault(kind, []).append(document.source(claim.path))
            shown.setdefault(kind, claim.shown)
    for kind, sources in groups.items():
        yield doubt(
            "claims/approval-without-record", f"{shown[kind]!r} is claimed, and no document records it", sources
        )


def _approvals(document: SourceDocument) -> Iterator[Statement]:
    for claim in done(document, sentences=True):
        if (
            _REVIEW.search(claim.words)
            and not _EVIDENCED.search(claim.words)
            and not _PAST.search(claim.words)
            and not _TO_DO.match(claim.words)
            and not _EVIDENCE_KEY.search(str(claim.path[-1]))
        ):
            yield claim


def _kind_of_approval(words: str) -> str:
    kinds = {
        stem(match.group().lower().split()[-1].removesuffix("ed").removesuffix("al"))
        for match in _REVIEW.finditer(words)
    }
    topic = subject(words).stems - {
        stem(w) for w in ("audit", "approve", "approved", "approval", "reviewed", "completed")
    }
    return f"{max(kinds)} {min(topic)}" if topic else max(kinds)


def _recorded(documents: DocumentSet, claim: Statement) -> bool:
    """Tell whether a member named after reviews, approvals or audits records the subject of a claim."""
    return all(
        _part_recorded(documents, claim, part) for part in re.split(r"\band\b|,", claim.words) if _REVIEW.search(part)
    )


def _part_recorded(documents: DocumentSet, claim: Statement, part: str) -> bool:
    about = subject(part).stems - _VERBS
    who = _BY.search(part)
    if who and not _is_named(documents, who.group(1), claim):
        return False  # one who is named nowhere else has recorded nothing
    for document in documents.current:
        for path, value in document.values:
            key = path[-1] if path else ""
            if not isinstance(key, str) or not _EVIDENCE_KEY.search(key) or path == claim.path or not value:
                continue
            for record in _records(key, value):
                told = subject(record).stems - _VERBS
                if about & told or not about or (not told and len(about) <= 1):
                    return True
    return False


def _is_named(documents: DocumentSet, name: str, claim: Statement) -> bool:
    around = claim.path[:-1]
    return any(
        name.lower() in line.lower()
        for d in documents.current
        for path, line in d.texts
        if path[: len(around)] != around
    )


_VERBS = frozenset(
    stem(word)
    for word in (
        "audit",
        "audited",
        "approve",
        "approved",
        "approval",
        "review",
        "reviewed",
        "sign",
        "signed",
        "complete",
        "decision",
        "by",
        "at",
    )
)


def _records(key: str, value: Any) -> Iterator[str]:
    """Yield each record's words: the elements of a list, the members of an object, a text that names who or when."""
    name = key.replace("_", " ")
    if isinstance(value, list):
        for item in sequence(value):
            words = " ".join(text(v) for v in mapping(item).values()) if isinstance(item, dict) else text(item)
            yield f"{name} {words}".replace("-", " ")
    elif isinstance(value, dict):
        yield f"{name} {' '.join(f'{k} {text(v)}' for k, v in mapping(value).items())}".replace("-", " ")
    elif isinstance(value, str) and (_EVIDENCED.search(value) or re.search(r"(?:_by|er)\Z", key)):
        yield f"{name} {value}"
