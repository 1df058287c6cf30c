"""Ticks and statuses: what is marked as done or ready beside what the same documents mark as open, or do not record."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed, source_at
from contexts.audit.prose.notations import stated
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import merged, plan, track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt
from contexts.json.values import Path, mapping, sequence, text
from contexts.text.subjects import same_subject, subject

_DONE = ("✅", "✓", "✔", "☑", "[x]")
_OPEN = ("⏳", "⌛", "☐", "⬜", "[ ]")
_DONE_LISTS = {"security_measures"}
_CODES = re.compile(r"[1-5][0-9]{2}(?:(?:, | and |, and )[1-5][0-9]{2}){0,20} as documented")
_CODE = re.compile(r"[0-9]{3}")
_APPROVAL = re.compile(r"\b(?:reviewed|approved|audited|audit (?:completed|passed)|signed off)\b", re.IGNORECASE)
_RECORD = re.compile(r"(?:\A|_)(?:reviews?|approvals?|audits?|reviewed_by|approved_by|sign_offs?)\Z")


def _done(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    """Yield the entries of lists that are ticked, or that stand in a list of what was done."""
    for path, value in stated(document):
        of_list = isinstance(value, str) and isinstance(path[-1], int)
        if of_list and (value.startswith(_DONE) or (len(path) == 2 and path[0] in _DONE_LISTS)):
            yield path, value


@claim_rule(
    "claims/pass-beside-pending",
    "warning",
    "Something is ticked while an action on the same name is still pending in the same document.",
    example=(
        verified(
            verification_results={"security": {"checks": ["✅ CORS restricted to allowed origins"]}},
            pending_actions=["Set CORS origin for the public domain"],
        ),
    ),
    clean=(
        verified(
            verification_results={"security": {"checks": ["✅ CORS restricted to allowed origins"]}},
            pending_actions=["Announce the release"],
        ),
    ),
)
def pass_beside_pending(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare what a document ticks with its pending actions: both name something, and are about the same."""
    for document in documents.current:
        actions = [
            (("pending_actions", index), action)
            for index, action in enumerate(sequence(document.data.get("pending_actions")))
            if isinstance(action, str)
        ]
        for path, claim in _done(document) if actions else ():
            names = subject(claim).names
            against = [
                (where, action)
                for where, action in actions
                if names & subject(action).names and same_subject(claim, action)
            ]
            if against:
                yield doubt(
                    "claims/pass-beside-pending",
                    f"{claim!r} is called done, and {against[0][1]!r} is still pending",
                    (document.source(path), *(document.source(where) for where, _ in against)),
                )


@claim_rule(
    "claims/undocumented",
    "warning",
    "Status codes are said to be as documented, and no provider documents them.",
    example=(
        plan("api"),
        track("api", implementation_details={"endpoints": {"GET /items": {"auth": "none"}}}),
        merged(integration_concerns=[{"concern": "Errors", "provides": "400 and 404 as documented"}]),
    ),
    clean=(
        plan("api"),
        track("api", implementation_details={"endpoints": {"GET /items": {"error_codes": [400, 404]}}}),
        merged(integration_concerns=[{"concern": "Errors", "provides": "400 and 404 as documented"}]),
    ),
)
def undocumented(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for the codes in the contracts of all providers, where the documents of all tracks are there."""
    endpoints = [endpoint for contract in documents.providers for endpoint in contract.endpoints]
    if not documents.has_all_tracks or not endpoints or any(one.any_code for one in endpoints):
        return
    declared = {code.status for one in endpoints for code in one.codes or ()}
    provider = documents.by_name[documents.providers[0].document]
    for document in documents.revisions:
        for path, value in stated(document):
            codes = _CODE.findall(value) if isinstance(value, str) and _CODES.fullmatch(value) else []
            missing = [code for code in codes if int(code) not in declared]
            if missing:
                yield doubt(
                    "claims/undocumented",
                    f"{listed(missing)} said to be documented, and {provider.name} does not document it",
                    (document.source(path), source_at(provider.name, provider.data, "/task_id")),
                )


@claim_rule(
    "claims/approval-without-record",
    "warning",
    "A prerequisite of a deployment ticks a review, an approval or an audit that no document records.",
    example=(verified(deployment_readiness={"production": {"prerequisites": ["✅ Code reviewed and approved"]}}),),
    clean=(
        verified(
            deployment_readiness={"production": {"prerequisites": ["✅ Code reviewed and approved"]}},
            reviews=[{"subject": "code", "by": "lead", "verdict": "approved"}],
        ),
    ),
)
def approval_without_record(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for any member that is named after reviews, approvals or audits and holds something."""
    if any(
        _RECORD.search(key) and members[key] for d in documents.current for _, members in d.objects for key in members
    ):
        return
    for document in documents.revisions:
        for path, value in stated(document):
            ticked = isinstance(value, str) and value.startswith(_DONE) and path[-2:-1] == ("prerequisites",)
            if ticked and _APPROVAL.search(value):
                yield doubt(
                    "claims/approval-without-record",
                    f"{value!r} is claimed, and no document records it",
                    (document.source(path),),
                )


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
    """Look at the marks of the prerequisites beside a status that says ready."""
    for document in documents.revisions:
        for path, value in stated(document):
            members = mapping(value)
            if members.get("status") != "ready":
                continue
            entries = [text(entry) for entry in sequence(members.get("prerequisites"))]
            places = [(*path, "prerequisites", n) for n, entry in enumerate(entries) if entry.startswith(_OPEN)]
            if places:
                yield doubt(
                    "claims/ready-with-open-prerequisites",
                    f"called 'ready' with {len(places)} open prerequisites",
                    (document.source((*path, "status")), *map(document.source, places)),
                )
