from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from contexts.documents.codec import CHECKSUM, LIMIT_BYTES, seal
from contexts.documents.refs import BlobKind, BlobRef, ContextRef
from contexts.errors import (
    BadIdentifier,
    ChecksumMismatch,
    DocumentError,
    NewerVersion,
    NotFound,
    RevisionConflict,
    SecretRefused,
)
from contexts.json.pointer import resolve
from contexts.merge import assemble, contribute, expand_tracks
from contexts.store.contexts import CONTEXT, INLINE_BYTES, ContextStore, group_document, track_document
from contexts.store.integrity import check_store
from contexts.store.keys import blob_kind, document_key, read_key
from contexts.store.local import LocalObjects
from tests.contexts.merge_strategies import parent

# Put together here, so that no scanner takes this file for a leak.
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3


@pytest.fixture
def store(tmp_path: Path) -> ContextStore:
    return ContextStore(LocalObjects(tmp_path / "store"))


def document(**fields: Any) -> dict[str, Any]:
    return {**parent(["api"]), **fields}


def track(task_id: str = "api", **fields: Any) -> dict[str, Any]:
    return document(workflow_id=f"feature-{task_id}", parent_workflow_id="feature", task_id=task_id, **fields)


def save(store: ContextStore, value: dict[str, Any], name: str = CONTEXT, after: int = 0) -> ContextRef:
    return store.save(value, workflow_id="feature", name=name, after=after)


def bare(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key != CHECKSUM}


def path_of(store: ContextStore, key: str) -> Path:
    assert isinstance(store.objects, LocalObjects)
    return store.objects.root / key


def test_every_save_makes_the_next_revision_and_leaves_the_earlier_ones(store: ContextStore) -> None:
    assert store.latest("feature") is None
    refs = [save(store, document(step=number), after=number) for number in range(3)]
    assert [ref.revision for ref in refs] == [1, 2, 3]
    assert [bare(store.load(ref))["step"] for ref in refs] == [0, 1, 2]
    ref, newest = store.require("feature")
    assert (ref, newest["step"]) == (refs[2], 2)
    assert store.revisions("feature") == {CONTEXT: (1, 2, 3)}


def test_whoever_saves_a_revision_second_is_told_and_changes_nothing(store: ContextStore) -> None:
    first = save(store, document(by="first"))
    with pytest.raises(RevisionConflict, match="feature/context@1 was saved by another run"):
        save(store, document(by="second"))
    assert store.load(first)["by"] == "first"


def test_a_gap_in_the_numbers_does_not_hide_the_newest(store: ContextStore) -> None:
    save(store, document(), after=8)
    ref = save(store, document(), after=1_000_000)
    save(store, document(), after=999_998)
    assert store.revisions("feature")[CONTEXT] == (9, 999_999, 1_000_001)
    found = store.latest("feature")
    assert found is not None
    assert found[0] == ref


def test_documents_of_a_workflow_are_listed_apart(store: ContextStore) -> None:
    save(store, document())
    save(store, track("api"), track_document("api"))
    save(store, track("api-2"), track_document("api-2"))
    save(store, document(group_id="early"), group_document("early"))
    store.save(document(workflow_id="feature.two"), workflow_id="feature.two", name=CONTEXT, after=0)
    assert set(store.revisions("feature")) == {"context", "tracks/api", "tracks/api-2", "groups/early"}
    assert store.revisions("feature", "tracks/api") == {"tracks/api": (1,)}
    assert store.workflows() == ("feature", "feature.two")
    assert store.revisions("another") == {}


def test_what_is_not_there_is_not_found_and_said(store: ContextStore) -> None:
    with pytest.raises(NotFound, match="plait list"):
        store.require("feature")
    with pytest.raises(NotFound):
        store.load_revision("feature", CONTEXT, 4)
    with pytest.raises(NotFound, match="counted from 1"):
        store.load_revision("feature", CONTEXT, 0)
    with pytest.raises(NotFound):
        store.get_blob("feature", BlobRef(sha256="0" * 64, size=1))


def test_large_lists_and_objects_are_set_aside_and_put_back(store: ContextStore) -> None:
    big = [f"decision {number} " + "x" * 100 for number in range(1000)]
    details = {"notes": {"y": "z" * INLINE_BYTES}}
    small = ["one"]
    given = document(decisions=big, pending_actions=small, implementation_details=details, findings=[])
    ref = save(store, given)
    stored = orjson.loads(store.objects.read(document_key("feature", CONTEXT, 1)))
    assert stored["decisions"].keys() == {"$blob", "items"}
    assert stored["decisions"]["items"] == 1000
    assert stored["implementation_details"].keys() == {"$blob", "items"}
    assert stored["pending_actions"] == small
    assert ref.size == len(store.objects.read(document_key("feature", CONTEXT, 1))) < INLINE_BYTES
    assert orjson.dumps(bare(store.load(ref))) == orjson.dumps(given)
    assert orjson.dumps(bare(store.require("feature")[1])) == orjson.dumps(given)


def test_a_list_of_just_64_kb_stays_where_it_is(store: ContextStore) -> None:
    given = document(notes=["x" * (INLINE_BYTES - 4)])
    save(store, given)
    assert b"$blob" not in store.objects.read(document_key("feature", CONTEXT, 1))
    save(store, document(notes=["x" * (INLINE_BYTES - 3)]), after=1)
    assert b"$blob" in store.objects.read(document_key("feature", CONTEXT, 2))


@pytest.mark.parametrize("claim", [5, None, {}, {"sha256": "0" * 64, "size": 1, "media_type": "x"}, "x"])
def test_data_that_looks_like_a_reference_of_ours_is_kept_as_data(store: ContextStore, claim: Any) -> None:
    given = track(notes={"$blob": claim, "items": 3}, list=["$blob"], deep={"a": {"$blob": claim}})
    ref = save(store, given, track_document("api"))
    assert bare(store.load(ref)) == given


def test_a_damaged_blob_is_refused(store: ContextStore) -> None:
    ref = store.put_blob("feature", b"log", "text/plain")
    assert store.put_blob("feature", b"log", "text/plain") == ref
    assert store.get_blob("feature", ref) == b"log"
    assert ref.sha256 == hashlib.sha256(b"log").hexdigest()
    path = path_of(store, f"blobs/feature/{ref.sha256}")
    path.chmod(0o600)
    path.write_bytes(b"lag")
    with pytest.raises(ChecksumMismatch, match="damaged after it was saved; restore the object from a backup"):
        store.get_blob("feature", ref)


@pytest.mark.parametrize(("kind", "folder"), [("content", ""), ("evidence", "evidence/"), ("report", "report/")])
def test_a_blob_lies_under_its_kind_and_its_reference_says_so(store: ContextStore, kind: BlobKind, folder: str) -> None:
    ref = store.put_blob("feature", b"body", kind=kind)
    key = f"blobs/feature/{folder}{ref.sha256}"
    assert path_of(store, key).exists()
    assert (blob_kind(key), store.get_blob("feature", ref)) == (kind, b"body")
    assert BlobRef.model_validate_json(ref.model_dump_json()) == ref


def test_a_reference_without_a_kind_is_of_content_and_documents_hold_none(store: ContextStore) -> None:
    ref = store.put_blob("feature", b"body", "text/plain")
    stored = {"sha256": ref.sha256, "size": 4, "media_type": "text/plain"}
    assert ref.model_dump() == stored
    assert BlobRef.model_validate(stored) == ref


def test_blobs_of_one_workflow_are_not_read_by_another(store: ContextStore) -> None:
    ref = store.put_blob("feature", b"log", "text/plain")
    with pytest.raises(NotFound):
        store.get_blob("another", ref)


@pytest.mark.parametrize("cut", [0, 1, -1, 40])
def test_a_truncated_object_is_refused(store: ContextStore, cut: int) -> None:
    ref = save(store, document())
    path = path_of(store, document_key("feature", CONTEXT, 1))
    body = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(body[:cut])
    with pytest.raises(ChecksumMismatch, match=r"damaged or cut short \(.*\); restore the object from a backup"):
        store.load(ref)
    with pytest.raises(ChecksumMismatch):
        store.latest("feature")


def test_another_whole_document_in_the_place_of_a_referenced_one_is_refused(store: ContextStore) -> None:
    ref = save(store, document(by="us"))
    path = path_of(store, document_key("feature", CONTEXT, 1))
    path.chmod(0o600)
    path.write_bytes(seal(document(by="them"))[0])
    with pytest.raises(ChecksumMismatch):
        store.load(ref)


@pytest.mark.parametrize(
    ("name", "stranger"),
    [
        (CONTEXT, document(workflow_id="another")),
        ("tracks/api", track("api") | {"parent_workflow_id": "another"}),
        ("tracks/api", track("web")),
        ("tracks/api", document()),
        ("groups/api", document()),
    ],
)
def test_somebody_elses_document_is_neither_saved_nor_read_under_a_key(
    store: ContextStore, name: str, stranger: dict[str, Any]
) -> None:
    with pytest.raises(DocumentError, match="cannot hold a document of"):
        save(store, stranger, name)
    assert store.revisions("feature") == {}
    store.objects.create(document_key("feature", name, 1), seal(stranger)[0])
    with pytest.raises(ChecksumMismatch, match="put there by something else"):
        store.latest("feature", name)


def test_a_document_nobody_could_read_back_is_not_saved(store: ContextStore) -> None:
    unreadable: list[tuple[dict[str, Any], type[Exception]]] = [
        (document(version="2.0"), NewerVersion),
        (document(version=None), DocumentError),
        (document(number=2**64), DocumentError),
        (document(number=[float("nan")]), DocumentError),
        (document(numbers=[float("inf")] * INLINE_BYTES), DocumentError),
        (document(text="\ud800"), DocumentError),
    ]
    for value, error in unreadable:
        with pytest.raises(error):
            save(store, value)
    assert store.revisions("feature") == {}


@pytest.mark.parametrize(
    "workflow", ["", "..", "a/b", "../up", "/abs", "A", "a..b", "x.lock", "a\x00b", "a" * 65, ".a", "a\n"]
)
def test_a_hostile_workflow_id_never_becomes_a_key(store: ContextStore, workflow: str) -> None:
    ref = ContextRef(workflow_id=workflow, document=CONTEXT, revision=1, sha256="0" * 64, size=1)
    calls: list[Any] = [
        lambda: store.save(document(workflow_id=workflow), workflow_id=workflow, name=CONTEXT, after=0),
        lambda: store.load(ref),
        lambda: store.latest(workflow),
        lambda: store.revisions(workflow),
        lambda: store.load_revision(workflow, CONTEXT, 1),
        lambda: store.put_blob(workflow, b"x"),
        lambda: store.get_blob(workflow, BlobRef(sha256="0" * 64, size=1)),
    ]
    for call in calls:
        with pytest.raises(BadIdentifier):
            call()


@pytest.mark.parametrize(
    "name", ["", "other", "tracks", "tracks/", "tracks/../context", "tracks/a/b", "context/x", "/context", "groups/A"]
)
def test_a_hostile_document_name_never_becomes_a_key(store: ContextStore, name: str) -> None:
    for call in (
        lambda: save(store, document(), name),
        lambda: store.load_revision("feature", name, 1),
        lambda: store.revisions("feature", name),
        lambda: store.load(ContextRef(workflow_id="feature", document=name, revision=1, sha256="0", size=1)),
    ):
        with pytest.raises(BadIdentifier):
            call()


@pytest.mark.parametrize("sha", ["../../x", "a/../../b", "/etc/passwd", ""])
def test_a_hostile_blob_name_never_becomes_a_key(store: ContextStore, sha: str) -> None:
    with pytest.raises(BadIdentifier):
        store.get_blob("feature", BlobRef(sha256=sha, size=1))


def test_foreign_objects_between_the_documents_are_not_taken_for_revisions(store: ContextStore) -> None:
    save(store, document())
    for key in (
        "README.md",
        "context/7.json",
        "context/0000009.json",
        "context/000002.json.bak",
        "tracks/x",
        "x/000001.json",
    ):
        store.objects.create(f"documents/feature/{key}", b"{}")
    store.objects.create("documents/stray", b"{}")
    assert store.revisions("feature") == {CONTEXT: (1,)}
    assert store.workflows() == ("feature",)
    assert read_key("blobs/feature/x") is None


def test_a_secret_is_redacted_at_the_boundary_and_becomes_a_finding_with_its_place(store: ContextStore) -> None:
    given = track(notes=[{"a/b": f"token is {TOKEN}"}], findings=[{"rule": "r", "severity": "note", "message": "m"}])
    ref = save(store, given, track_document("api"))
    assert TOKEN.encode() not in store.objects.read(document_key("feature", "tracks/api", 1))
    loaded = store.load(ref)
    first, finding = loaded["findings"]
    assert (first["rule"], finding["rule"], finding["severity"]) == ("r", "secrets/value-in-document", "warning")
    (source,) = finding["sources"]
    assert source["pointer"] == "/notes/0/a~1b"
    assert resolve(loaded, source["pointer"]) == f"token is {source['quote']}"
    assert TOKEN in given["notes"][0]["a/b"]


def test_a_redacted_document_saved_again_gets_no_second_finding(store: ContextStore) -> None:
    first = save(store, document(notes=TOKEN))
    again = save(store, store.load(first), after=1)
    assert again.sha256 == first.sha256
    assert len(store.load(again)["findings"]) == 1


def test_a_secret_in_a_list_that_is_set_aside_is_redacted_too(store: ContextStore) -> None:
    ref = save(store, document(notes=["x" * 1000] * 100 + [TOKEN]))
    assert store.load(ref)["findings"][0]["sources"][0]["pointer"] == "/notes/100"
    for entry in store.objects.list(""):
        assert TOKEN.encode() not in store.objects.read(entry.key)


def test_a_document_whose_findings_are_no_list_is_still_cleaned(store: ContextStore) -> None:
    ref = save(store, document(notes=TOKEN, findings="none"))
    assert [one["rule"] for one in store.load(ref)["findings"]] == ["secrets/value-in-document"]


def test_refuse_saves_nothing_and_does_not_repeat_the_secret(store: ContextStore) -> None:
    strict = store.with_policy("refuse")
    for call in (
        lambda: save(strict, document(notes=["fine", TOKEN])),
        lambda: strict.put_blob("feature", f"log {TOKEN}".encode(), "text/plain"),
        lambda: strict.put_json("feature", {"log": TOKEN}),
    ):
        with pytest.raises(SecretRefused) as caught:
            call()
        assert TOKEN not in str(caught.value)
        assert "env:NAME" in str(caught.value)
    with pytest.raises(SecretRefused, match="/notes/1"):
        save(strict, document(notes=["fine", TOKEN]))
    assert list(store.objects.list("")) == []


@pytest.mark.parametrize(
    "media_type", ["text/plain", "text/x-diff", "application/json", "application/xml", "application/octet-stream"]
)
def test_text_blobs_are_cleaned_whatever_they_are_called(store: ContextStore, media_type: str) -> None:
    ref = store.put_blob("feature", f"before {TOKEN} after".encode(), media_type)
    body = store.get_blob("feature", ref)
    assert TOKEN.encode() not in body
    assert body.startswith(b"before [redacted:")
    assert body.endswith(b"] after")


def test_bytes_that_are_no_text_are_stored_as_they_are(store: ContextStore) -> None:
    for data in (b"PACK\0\xff" + TOKEN.encode(), bytes(range(256)) * 10, b"\xff\xfe" + TOKEN.encode()):
        ref = store.put_blob("feature", data, "application/x-git-bundle")
        assert store.get_blob("feature", ref) == data


def test_a_log_that_is_not_utf8_keeps_its_other_bytes_when_cleaned(store: ContextStore) -> None:
    ref = store.put_blob("feature", b"\xff\xfe " + TOKEN.encode() + b" \x80", "text/plain")
    body = store.get_blob("feature", ref)
    assert body.startswith(b"\xff\xfe [redacted:")
    assert body.endswith(b"] \x80")


def test_json_values_are_stored_canonically_and_clean(store: ContextStore) -> None:
    ref = store.put_json("feature", {"b": 1, "a": [TOKEN]})
    assert store.get_blob("feature", ref).startswith(b'{"a":["[redacted:')
    assert store.put_json("feature", {"b": 1, "a": 2}) == store.put_json("feature", {"a": 2, "b": 1})


def test_many_documents_are_read_in_the_order_asked_for(store: ContextStore) -> None:
    names = [f"t{number}" for number in range(20)]
    refs = [save(store, track(name), track_document(name)) for name in names]
    assert [one["task_id"] for one in store.load_many(reversed(refs))] == list(reversed(names))
    assert store.load_many([]) == []
    with pytest.raises(ChecksumMismatch):
        store.load_many([refs[0], refs[1].model_copy(update={"sha256": "0" * 64})])


def test_a_stored_merge_is_small_and_expands_to_what_the_loose_merge_prints(store: ContextStore) -> None:
    documents = [track(name, decisions=[name], implementation_details={"d": "x" * 3000}) for name in ("api", "web")]
    refs = [save(store, one, track_document(one["task_id"])) for one in documents]
    parts = {one["task_id"]: contribute(store.load(ref), ref=ref) for one, ref in zip(documents, refs, strict=True)}
    merged = assemble(parent(["web", "api"]), parts, timestamp="2026-01-15T10:10:00Z")
    ref = save(store, merged)
    assert ref.size < 6000
    expanded = expand_tracks(store, store.load(ref))
    printed = assemble(parent(["web", "api"]), parts, timestamp="2026-01-15T10:10:00Z", expanded=True)
    assert bare(expanded) == orjson.loads(orjson.dumps(printed))
    assert expand_tracks(store, document()) == document()


def test_references_in_a_tracks_own_document_are_not_followed(store: ContextStore) -> None:
    other = store.save(document(workflow_id="other"), workflow_id="other", name=CONTEXT, after=0)
    hostile = track(track_contexts={"x": {"ref": other.model_dump()}})
    assert expand_tracks(store, hostile) == hostile


def test_a_document_at_the_size_limit_is_saved_and_read(store: ContextStore) -> None:
    given = document(notes=["n" * 1000] * (LIMIT_BYTES // 1003))
    assert bare(store.load(save(store, given))) == given


@pytest.mark.parametrize(
    "aside", [5, {}, {"sha256": "../../etc/passwd", "size": 1}, {"sha256": 64 * "a", "size": 1, "x": 2}, "hello"]
)
def test_a_member_that_says_it_was_set_aside_and_was_not_is_told_in_one_sentence(
    store: ContextStore, aside: object
) -> None:
    if aside == "hello":
        aside = store.put_blob("w", b"hello").model_dump()
    document = {"version": "1.0", "workflow_id": "w", "x": {"$blob": aside}}
    body, _ = seal(document)
    store.objects.create(document_key("w", CONTEXT, 1), body)
    with pytest.raises((DocumentError, NotFound)):
        store.load_revision("w", "context", 1)


def test_a_part_that_is_no_json_is_told_by_the_check_of_the_store(store: ContextStore) -> None:
    aside = store.put_blob("w", b"hello")
    body, _ = seal({"version": "1.0", "workflow_id": "w", "x": {"$blob": aside.model_dump()}})
    store.objects.create(document_key("w", CONTEXT, 1), body)
    assert ["is no JSON" in one.message for one in check_store(store.objects).troubles] == [True]
