"""Fidelity: a merged document must equal the merge of its tracks; nothing lost, invented, changed or repeated."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator
from functools import partial
from weakref import WeakKeyDictionary

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.registry import found, rule
from contexts.audit.rules.list_items import Comparison, Item, compare_items, items
from contexts.audit.sample_documents import merged, parent, plan, track
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Finding
from contexts.json.values import mapping, sequence, text
from contexts.text.plural import counted

_LISTS = {"files_modified": "file", "decisions": "decision", "pending_actions": "pending action"}
_CARRIED = (
    ("feature_spec", "requirements"),
    ("shared_constraints",),
    ("constraints",),
    ("integration_requirements",),
    ("success_criteria",),
)

Compared = tuple[str, SourceDocument, int, Comparison]
# Three rules look at the same comparison.
_KNOWN: WeakKeyDictionary[DocumentSet, tuple[Compared, ...]] = WeakKeyDictionary()


def _file_items(document: SourceDocument) -> list[Item]:
    return [
        Item(document, ("files_modified", index), text(raw), (posixpath.normpath(text(raw)),))
        for index, raw in enumerate(sequence(document.data.get("files_modified")))
        if isinstance(raw, str)
    ]


def _list_items(document: SourceDocument, key: str) -> list[Item]:
    known: dict[str, list[Item]] = document.memo.setdefault("items", {})
    if key not in known:
        known[key] = _file_items(document) if key == "files_modified" else items(document, key)
    return known[key]


def comparisons(documents: DocumentSet) -> tuple[Compared, ...]:
    """Yield, for each list a merge must keep, what became of the tracks' items, and how many there were.

    A merged document is compared with the tracks, a verified one with the merge, or with the tracks without one.
    """
    known = _KNOWN.get(documents)
    if known is None:
        known = _KNOWN[documents] = tuple(_compared(documents))
    return known


def _compared(documents: DocumentSet) -> Iterator[Compared]:
    merges = documents.at_stage("merged")
    after = documents.at_stage("verified")
    for document in (*merges, *after):
        tracks = document in merges or not merges
        sources = documents.merged_tracks if tracks else merges[-1:]
        for key in _LISTS:
            if key not in document.data or (key == "pending_actions" and document not in merges):
                continue
            before = [item for source in sources for item in _list_items(source, key)]
            if before or not tracks:
                known = [item for d in documents.at_stage("parent") for item in _list_items(d, key)] if tracks else []
                others = partial(_texts_outside_lists, document) if sources else tuple[str, ...]
                found_items = compare_items([*before, *known], _list_items(document, key), others)
                yield key, document, len(before), found_items


def _texts_outside_lists(document: SourceDocument) -> list[str]:
    return [value for path, value in document.texts if path[0] not in _LISTS]


def _all_texts(document: SourceDocument) -> list[str]:
    return [value for _, value in document.texts]


def _wording(documents: DocumentSet, document: SourceDocument) -> str:
    merges = documents.at_stage("merged")
    return "of the tracks" if document in merges or not merges else f"of {merges[-1].name}"


@rule(
    "fidelity/items-lost",
    "blocking",
    "Files, decisions or pending actions of the tracks are not in the merged document word for word.",
    example=(
        track("api", decisions=["Use cursors for paging", "Store money in cents"]),
        merged(decisions=["Use cursors for paging"]),
    ),
    clean=(
        track("api", decisions=["Use cursors for paging", "Store money in cents"]),
        merged(decisions=["Store money in cents", "use cursors for  paging."]),
    ),
)
def items_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every item of the tracks in the merge; a list rewritten as a whole is one finding."""
    for key, document, count, result in comparisons(documents):
        if not result.lost:
            continue
        rewritten = len(result.lost) * 2 > count and bool(result.invented) and key != "files_modified"
        noun = _LISTS[key]
        names = listed([item.shown for item in result.lost], 3)
        message = f"{len(result.lost)} of {counted(count, noun)} {_wording(documents, document)} lost: {names}"
        if rewritten:
            message += f"; {counted(len(result.invented), 'item')} of {document.name} in their place, from no track"
        replaced = [item.source() for item in result.invented] if rewritten else []
        yield found(
            "fidelity/items-lost", message, (*(i.source() for i in result.lost), document.source((key,)), *replaced)
        )


@rule(
    "fidelity/items-changed",
    "blocking",
    "An item of a track stands in the merged document with other words or numbers.",
    example=(
        track("api", decisions=["Retry failed payments 3 times with backoff"]),
        merged(decisions=["Retry failed payments 5 times with backoff"]),
    ),
    clean=(
        track("api", decisions=["Retry failed payments 3 times with backoff"]),
        merged(decisions=["api: Retry failed payments 3 times with backoff"]),
    ),
    yields_to=("thresholds/criterion-relaxed",),
)
def items_changed(documents: DocumentSet) -> Iterator[Finding]:
    """Pair items that share most of their words and are not equal."""
    for key, _, _, result in comparisons(documents):
        for old, new in result.changed:
            yield found(
                "fidelity/items-changed",
                f"the {_LISTS[key]} {old.shown!r} became {new.shown!r}",
                (new.source(), old.source()),
            )
    for keys, later, result in _carried(documents):
        for old, new in result.changed:
            yield found(
                "fidelity/items-changed",
                f"{keys[-1]}: {old.shown!r} became {new.shown!r} in {later.name}",
                (new.source(), old.source()),
            )


@rule(
    "fidelity/items-invented",
    "blocking",
    "The merged document holds files, decisions or pending actions that no track has.",
    example=(
        plan("api"),
        track("api", files_modified=["src/api.py"]),
        merged(files_modified=["src/api.py", "src/ui.ts"]),
    ),
    clean=(
        plan("api"),
        track("api", files_modified=["src/api.py", "src/ui.ts"]),
        merged(files_modified=["src/ui.ts", "./src/api.py"]),
    ),
)
def items_invented(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every merged item in the tracks; only where all tracks are there."""
    if not documents.has_all_tracks:
        return
    for key, document, count, result in comparisons(documents):
        rewritten = len(result.lost) * 2 > count and bool(result.lost) and key != "files_modified"
        if not result.invented or rewritten:
            continue
        yield found(
            "fidelity/items-invented",
            f"{counted(len(result.invented), _LISTS[key])} of {document.name} not "
            f"{_wording(documents, document)}: {listed([i.shown for i in result.invented], 3)}",
            (item.source() for item in result.invented),
            None if key == "files_modified" else "warning",
        )


@rule(
    "fidelity/items-duplicated",
    "warning",
    "A merged list holds an item more often than the tracks have it.",
    example=(track("api", pending_actions=["Rotate keys"]), merged(pending_actions=["Rotate keys", "Rotate keys"])),
    clean=(track("api", pending_actions=["Rotate keys"]), merged(pending_actions=["Rotate keys"])),
)
def items_duplicated(documents: DocumentSet) -> Iterator[Finding]:
    """Count equal items; decisions may be as many as the tracks that made them, files and pending actions one."""
    for document in (*documents.at_stage("merged"), *documents.at_stage("verified")):
        for key, noun in _LISTS.items():
            groups: dict[tuple[str, ...], list[Item]] = {}
            for item in _list_items(document, key):
                groups.setdefault(item.forms, []).append(item)
            repeated = {forms: same for forms, same in groups.items() if len(same) > 1}
            allowed = (
                Counter(form for t in documents.tracks for i in _list_items(t, key) for form in i.forms)
                if repeated and key == "decisions"
                else Counter[str]()
            )
            for forms, same in repeated.items():
                most = max(1, *(allowed[form] for form in forms))
                if len(same) > most:
                    yield found(
                        "fidelity/items-duplicated",
                        f"the {noun} {same[0].shown!r} stands {len(same)} times in {document.name}",
                        (item.source() for item in reversed(same)),
                    )


def _carried(documents: DocumentSet) -> Iterator[tuple[tuple[str, ...], SourceDocument, Comparison]]:
    """Yield what became of requirements, constraints and criteria in later documents that state them, too."""
    for keys in _CARRIED:
        holder = next((d for d in documents.revisions if items(d, *keys)), None)
        for later in documents.revisions:
            if holder is not None and later is not holder and later.stage != holder.stage and items(later, *keys):
                others = partial(_all_texts, later)
                yield keys, later, compare_items(items(holder, *keys), items(later, *keys), others)


@rule(
    "fidelity/promise-lost",
    "blocking",
    "A requirement, constraint or criterion is missing from a later document's list of them.",
    example=(
        parent(shared_constraints=["Must use the existing login", "No new tables"]),
        merged(shared_constraints=["No new tables"]),
    ),
    clean=(
        parent(shared_constraints=["Must use the existing login", "No new tables"]),
        merged(shared_constraints=["No new tables", "Must use the existing login"]),
    ),
)
def promise_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Compare the lists that later documents repeat, item by item."""
    for keys, later, result in _carried(documents):
        if result.lost:
            yield found(
                "fidelity/promise-lost",
                f"{counted(len(result.lost), 'entry', 'entries')} of {'.'.join(keys)} lost in {later.name}: "
                f"{listed([item.shown for item in result.lost], 3)}",
                (*(i.source() for i in result.lost), later.source(keys)),
            )


@rule(
    "fidelity/field-vanished",
    "warning",
    "Constraints, integration requirements or criteria are there, and the merge has none of them.",
    example=(parent(shared_constraints=["No new tables"]), merged(decisions=[])),
    clean=(parent(shared_constraints=["No new tables"]), merged(shared_constraints=["No new tables"])),
)
def field_vanished(documents: DocumentSet) -> Iterator[Finding]:
    """Compare which of them the merge has at all; a verification may leave to the merge what that carries."""
    later = documents.at_stage("merged")
    gone: dict[tuple[str, ...], SourceDocument] = {}
    lacking: dict[str, SourceDocument] = {}
    for keys in (*_CARRIED, ("error_log",)):
        holder = next((d for d in documents.at_stage("parent") if items(d, *keys)), None)
        missing = [d for d in later if not _has(d, keys)]
        if holder is not None and missing and keys != ("feature_spec", "requirements"):
            gone[keys] = holder
            lacking.update({d.name: d for d in missing})
    if gone:
        names = [".".join(keys) for keys in gone]
        yield found(
            "fidelity/field-vanished",
            f"{listed(names, 8)} not carried into {listed(sorted(lacking))}",
            (
                *(holder.source(keys) for keys, holder in gone.items()),
                *(d.source(("phase",)) for d in lacking.values() if "phase" in d.data),
            ),
        )


def _has(document: SourceDocument, keys: tuple[str, ...]) -> bool:
    value: object = document.data
    for key in keys:
        if key not in mapping(value):
            return False
        value = mapping(value)[key]
    return True
