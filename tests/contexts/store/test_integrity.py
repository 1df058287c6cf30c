import shutil
from hashlib import sha256

import pytest

from contexts.errors import NotFound
from contexts.store.contexts import ContextStore
from contexts.store.integrity import check_store
from contexts.store.local import LocalObjects


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(root, sound):
    shutil.copytree(sound, root)
    return ContextStore(LocalObjects(root))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the folder of a store in which nothing is wrong; each test damages a copy."""
    root = tmp_path_factory.mktemp("sound") / "store"
    store = ContextStore(LocalObjects(root))
    head = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p"}
    track = {**head, "workflow_id": "shop-pay", "parent_workflow_id": "shop", "task_id": "pay"}
    ref = store.save(track, workflow_id="shop", name="tracks/pay", after=0)
    log = store.put_blob("shop", b"log", "text/plain")
    inner = store.put_blob("shop", b"inner", "text/plain")
    context = {
        **head,
        "workflow_id": "shop",
        "track_contexts": {"pay": {"ref": ref.model_dump()}},
        "evidence": [{"log": log.model_dump()}],
        "conversation_history": [inner.model_dump(), *(f"turn {number} " * 10 for number in range(1000))],
    }
    store.save(context, workflow_id="shop", name="context", after=0)
    store.save({**context, "phase": "q"}, workflow_id="shop", name="context", after=1)
    return root


def problems(store, workflow_id=None):
    return [(trouble.problem, trouble.severity) for trouble in check_store(store.objects, workflow_id).troubles]


def overwrite(root, key, body):
    path = root / key
    path.chmod(0o644)
    path.write_bytes(body)


def test_a_whole_store_has_no_troubles(store):
    checked = check_store(store.objects)
    assert checked.troubles == ()
    assert (checked.workflows, checked.documents, checked.blobs) == (1, 3, 3)


def test_a_damaged_document_is_found(store, root):
    overwrite(root, "documents/shop/context/000001.json", b'{"version": "1.0"}')
    assert problems(store) == [("damaged-document", "blocking")]


def test_a_document_under_a_foreign_key_is_found(store, root):
    body = (root / "documents/shop/tracks/pay/000001.json").read_bytes()
    store.objects.create("documents/shop/tracks/other/000001.json", body)
    store.objects.create("documents/elsewhere/tracks/pay/000001.json", body)
    assert problems(store) == [("misplaced-document", "blocking")] * 2


def test_a_gap_in_the_revisions_is_found(store, root):
    (root / "documents/shop/context/000001.json").unlink()
    assert problems(store) == [("revision-gap", "blocking")]


def test_a_reference_to_a_missing_or_another_revision_is_found(store, root):
    (root / "documents/shop/tracks/pay/000001.json").unlink()
    assert set(problems(store)) == {("dangling-reference", "blocking")}
    head = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "b", "phase": "p"}
    track = {**head, "workflow_id": "shop-pay", "parent_workflow_id": "shop", "task_id": "pay"}
    store.save(track, workflow_id="shop", name="tracks/pay", after=0)
    assert "another document" in check_store(store.objects).troubles[0].message


@pytest.mark.parametrize("body", [b"log", b"inner"])
def test_a_missing_blob_is_found_also_where_a_stored_aside_list_refers_to_it(store, root, body):
    (root / "blobs/shop" / sha256(body).hexdigest()).unlink()
    assert problems(store) == [("missing-blob", "blocking")]


def test_a_damaged_blob_is_found(store, root):
    overwrite(root, f"blobs/shop/{sha256(b'log').hexdigest()}", b"gol")
    assert problems(store) == [("damaged-blob", "blocking")]


def test_what_nobody_refers_to_and_what_is_not_ours_are_notes(store):
    store.put_blob("shop", b"left over", "text/plain")
    store.objects.create("documents/shop/readme.txt", b"hello")
    assert sorted(problems(store)) == [("foreign-object", "note"), ("unused-blob", "note")]


@pytest.mark.parametrize("kind", ["evidence", "report"])
def test_what_no_document_refers_to_by_intent_is_known_by_its_kind_and_checked_like_the_rest(store, root, kind):
    blobs = check_store(store.objects).blobs
    ref = store.put_blob("shop", b"anything at all", "text/plain", kind=kind)
    assert problems(store) == []
    assert check_store(store.objects).blobs == blobs + 1
    store.put_blob("shop", b"<!doctype html><title>a plait report</title>", "text/html")
    assert problems(store) == [("unused-blob", "note")]
    overwrite(root, f"blobs/shop/{kind}/{ref.sha256}", b"anything else")
    assert sorted(problems(store)) == [("damaged-blob", "blocking"), ("unused-blob", "note")]


def test_a_blob_of_another_kind_does_not_stand_in_for_one_that_is_missing(store, root):
    (root / "blobs/shop" / sha256(b"log").hexdigest()).unlink()
    store.put_blob("shop", b"log", "text/plain", kind="evidence")
    assert problems(store) == [("missing-blob", "blocking")]


def test_a_folder_that_names_no_kind_is_not_ours(store):
    store.objects.create(f"blobs/shop/content/{sha256(b'log').hexdigest()}", b"log")
    assert problems(store) == [("foreign-object", "note")]


def test_a_digest_in_a_log_is_no_reference(store):
    store.put_blob("shop", b'{"sha256":"' + b"a" * 64 + b'","size":1,"media_type":"text/plain"}', "application/json")
    assert problems(store) == [("unused-blob", "note")]


def test_only_the_workflow_asked_for_is_checked(store, root):
    overwrite(root, "documents/shop/context/000001.json", b"{}")
    head = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "b", "phase": "p"}
    store.save({**head, "workflow_id": "other"}, workflow_id="other", name="context", after=0)
    assert problems(store, "other") == []
    with pytest.raises(NotFound, match="nothere"):
        check_store(store.objects, "nothere")
