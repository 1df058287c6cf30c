"""What documents say is done, and what they say is still to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from contexts.audit.source_document import SourceDocument
from contexts.json.values import Path, mapping, sequence, text

_DONE_MARK = re.compile(r"\A\s{0,4}(?:[✅✓✔☑]|\[x\]|- \[x\])", re.IGNORECASE)
_OPEN_MARK = re.compile(r"\A\s{0,4}(?:[⏳⌛🔲☐⬜🚧]|\[ \]|- \[ \]|TODO\b|PENDING\b)")
_DONE_STATUS = re.compile(
    r"\A(?:pass(?:ed)?|success|succeeded|completed?|done|verified|met|closed|resolved)\Z", re.IGNORECASE
)
_OPEN_STATUS = re.compile(
    r"\A(?:pending|open|todo|to do|not[ _-]started|in[ _-]progress|waiting|blocked|outstanding)\Z", re.IGNORECASE
)
_DONE_END = re.compile(r"[:\u2013-]\s{0,3}(?:done|passed|completed?|ok|met|yes)\s{0,3}\Z", re.IGNORECASE)
_OPEN_END = re.compile(r"[:\u2013-]\s{0,3}(?:open|pending|todo|outstanding|not (?:yet )?done)\s{0,3}\Z", re.IGNORECASE)
_WISHES = {"pending_actions", "error_log", "success_criteria", "decisions"}
_CHECK_LISTS = {"checks", "measures", "verified", "validated"}
_DONE_LISTS = {"security_measures", "measures", "completed", "completed_actions", "done", "achievements", "safeguards"}
_SENTENCE = re.compile(r"[^.!?\n;]{3,300}")
_DONE_VERB = re.compile(
    r"\b(?:passed|completed?|approved|reviewed|audited|signed[ -]off|done|finished|certified|met|successful(?:ly)?)\b",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\b(?:not|never|pending|await\w{0,4}|waiting|will|must|should|needs?|to be|before|after|require[sd]?|todo"
    r"|schedule[sd]?|once|until|when|if|request|without|cannot|no)\b",
    re.IGNORECASE,
)


# What a text must hold, in lower case, to be marked as done or open, or to say that something is done.
_MARKED = re.compile(
    r"✅|✓|✔|☑|⏳|⌛|🔲|☐|⬜|🚧|\[|todo|pending|:\s{0,3}(?:done|passed|complete|ok|met|yes|open|outstanding|not )"
    r"|-\s{0,3}(?:done|passed|complete|ok|met|yes|open|outstanding|not )"
    r"|\u2013\s{0,3}(?:done|passed|complete|ok|met|yes|open|outstanding|not )"
)
_VERBS = re.compile(r"passed|complete|approved|reviewed|audited|signed|done|finished|certified|met|successful")


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said: where, its words without marks, and as shown."""

    path: Path
    words: str
    shown: str


# Several rules ask about the same document.
_KNOWN: WeakKeyDictionary[SourceDocument, dict[bool, tuple[Statement, ...]]] = WeakKeyDictionary()
_OPEN: WeakKeyDictionary[SourceDocument, tuple[Statement, ...]] = WeakKeyDictionary()


def done(document: SourceDocument, *, sentences: bool = False) -> tuple[Statement, ...]:
    """Return what a document calls done: ticked items, measures in place, objects whose status says so.

    Args:
        document: Where to look.
        sentences: Also yield sentences of summaries that say something was passed, completed or approved.
    """
    known = _KNOWN.setdefault(document, {})
    if sentences not in known:
        known[sentences] = tuple(_done(document, sentences=sentences))
    return known[sentences]


def _done(document: SourceDocument, *, sentences: bool) -> Iterator[Statement]:
    judged = document.objects_with("status".__eq__)
    passed = {path for path, members in judged if _DONE_STATUS.match(text(members.get("status")).strip())}
    if document.own:
        passed.discard(())  # that the track delivered
    marked = document.indexes(_MARKED)
    listing = any(key in document.keys for key in (*_DONE_LISTS, *_CHECK_LISTS))
    speaking = document.indexes(_VERBS) if sentences else set[int]()
    for index in range(len(document.texts)) if listing else sorted(marked | speaking):
        path, value = document.texts[index]
        root, key = str(path[0]), str(path[-1])
        if index in marked and _DONE_MARK.match(value):
            yield Statement(path, _DONE_MARK.sub("", value).strip(), value[:160])
        elif index in marked and _DONE_END.search(value[-40:]) and _listed(path):
            yield Statement(path, _DONE_END.sub("", value).strip(), value[:160])
        elif _listed(path) and _says_done(path, passed) and not (index in marked and _is_open(value)):
            yield Statement(path, value, value[:160])
        elif index in speaking and key in {"context_summary", "summary", "validation", "notes", "statement"}:
            for match in _SENTENCE.finditer(value):
                said = match.group().strip()
                if _DONE_VERB.search(said) and not _NOT_DONE.search(said):
                    yield Statement(path, said, said[:160])
        elif index in speaking and _listed(path) and root not in _WISHES and len(value) < 300 and _claims_done(value):
            yield Statement(path, value, value[:160])
    for path, members in document.objects if listing else document.objects_with(_STATUS_KEYS.__contains__):
        key = _status_key(path, members)
        status = members.get(key)
        if len(path) == 2 and path[0] in _DONE_LISTS and not isinstance(status, str):
            words = " ".join(text(members.get(k)) for k in ("action", "subject", "name") if text(members.get(k)))
            if words:
                yield Statement(path, words, words[:160])
        if (
            path
            and isinstance(status, str)
            and _DONE_STATUS.match(status.strip())
            and path[0] not in {"pending_actions", "parallel_tasks"}
        ):
            named = next(
                (
                    text(members.get(k))
                    for k in ("check", "name", "subject", "item", "action", "title", "concern")
                    if text(members.get(k))
                ),
                "",
            )
            named = named or (str(path[-1]).replace("_", " ") if isinstance(path[-1], str) else "")
            named = f"{named} {text(members.get('environment'))}".strip()
            if named and "task_id" not in members:
                yield Statement((*path, key), named, f"{named}: {status}")


_STATUS_KEYS = frozenset({"status", "state"})


def _status_key(path: Path, members: Mapping[str, object]) -> str:
    """Return which member says how far a thing is; a state elsewhere may be that of an order or of a session."""
    judged = path[:1] in {("verification_results",), ("deployment_readiness",)}
    return "state" if judged and "status" not in members and "state" in members else "status"


def _claims_done(value: str) -> bool:
    return bool(not _is_open(value) and _DONE_VERB.search(value) and not _NOT_DONE.search(value))


def _listed(path: Path) -> bool:
    return len(path) >= 2 and isinstance(path[-1], int)


def _says_done(path: Path, passed: set[Path]) -> bool:
    """Tell whether a list speaks of what is done: by its name, or as the checks of something that passed."""
    return path[-2] in _DONE_LISTS or (path[-2] in _CHECK_LISTS and path[:-2] in passed)


def _is_open(value: str) -> bool:
    return bool(_OPEN_MARK.match(value) or _OPEN_END.search(value[-40:]))


def open_items(document: SourceDocument) -> tuple[Statement, ...]:
    """Return what a document says is still to do: pending actions and items marked as open."""
    known = _OPEN.get(document)
    if known is None:
        known = _OPEN[document] = tuple(_open(document))
    return known


def _open(document: SourceDocument) -> Iterator[Statement]:
    for index, raw in enumerate(sequence(document.data.get("pending_actions"))):
        item = mapping(raw)
        words = text(raw) or f"{text(item.get('action'))} {text(item.get('subject'))}".strip()
        status = text(item.get("status")).strip()
        if words and (not status or _OPEN_STATUS.match(status)) and not _DONE_MARK.match(words):
            yield Statement(("pending_actions", index), _OPEN_MARK.sub("", words).strip(), words[:160])
    for path, value in document.holding(_MARKED):
        if path[0] != "pending_actions" and isinstance(path[-1], int) and _is_open(value):
            yield Statement(path, _OPEN_END.sub("", _OPEN_MARK.sub("", value)).strip(), value[:160])
    for path, members in document.objects_with(_STATUS_KEYS.__contains__):
        status = text(members.get(_status_key(path, members))).strip()
        if (
            path
            and isinstance(path[-1], int)
            and path[0] not in {"pending_actions", "parallel_tasks", "error_log"}
            and _OPEN_STATUS.match(status)
        ):
            named = next(
                (
                    text(members.get(k))
                    for k in ("check", "name", "subject", "item", "action", "title")
                    if text(members.get(k))
                ),
                "",
            )
            if named:
                yield Statement(path, named, f"{named}: {status}")
