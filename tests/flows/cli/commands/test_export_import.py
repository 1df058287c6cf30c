import json

import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.document_sets import read
from tests.flows.cli.documents import head, parent, track


def read_all(folder):
    return {path.name: json.loads(path.read_bytes()) for path in folder.glob("*.json")}


def without_addresses(document):
    for context in document.get("track_contexts", {}).values():
        context.pop("ref")
    return document


def test_export_names_tracks_as_the_parent_does(call, shop, tmp_path):
    result = call("export", "shop", tmp_path / "out", "--json")
    assert result.code == 0
    assert sorted(read_all(tmp_path / "out")) == ["shop-cart.json", "shop-pay.json", "shop.json"]
    assert len([name for name in result.json()["files"] if name.startswith("blobs/")]) == 1


def test_a_round_trip_keeps_every_value(call, shop, tmp_path):
    call("export", "shop", tmp_path / "out")
    other = tmp_path / "other"
    assert call("import", tmp_path / "out", "--store", other).code == 0
    for doc in ("context", "cart-impl", "pay-impl"):
        ours, theirs = call("show", "shop", doc).json(), call("show", "shop", doc, "--store", other).json()
        assert without_addresses(ours) == without_addresses(theirs)
    assert call("store", "check", "--store", other).code == 0
    call("export", "shop", tmp_path / "again", "--store", other)
    first, second = read_all(tmp_path / "out"), read_all(tmp_path / "again")
    # The imported context no longer knows the older revision that named the files, so the usual names are used.
    assert without_addresses(first["shop.json"]) == without_addresses(second["shop.json"])
    assert first["shop-cart.json"] == second["shop-cart-impl.json"]


def test_a_merge_that_refers_to_an_older_track_revision_keeps_that_one_inline(call, shop: ContextStore, tmp_path):
    newer = track("cart-impl", implementation_details={"lines": 99})
    shop.save(newer, workflow_id="shop", name="tracks/cart-impl", after=1)
    before = call("show", "shop").json()
    call("export", "shop", tmp_path / "out")
    assert call("import", tmp_path / "out", "--store", tmp_path / "other").code == 0
    after = call("show", "shop", "--store", tmp_path / "other").json()
    assert after["track_contexts"]["cart-impl"]["context"]["implementation_details"] == {"lines": 10}
    assert without_addresses(before) == without_addresses(after)
    assert call("show", "shop", "cart-impl", "--store", tmp_path / "other").json() == newer


def test_a_set_of_documents_survives_import_value_for_value(call, documents):
    assert call("import", documents.folder).code == 0
    workflow = read(documents.parent)["workflow_id"]
    for number, path in enumerate((documents.parent, documents.merged, documents.verified), 1):
        assert call("show", workflow, "--revision", number).json() == read(path)
    for path in documents.tracks:
        assert call("show", workflow, read(path)["task_id"]).json() == read(path)


def test_importing_twice_saves_nothing_new(call, shop, tmp_path):
    call("export", "shop", tmp_path / "out")
    result = call("import", tmp_path / "out", "--json")
    assert result.code == 0
    assert result.json() == {"folder": str(tmp_path / "out"), "saved": [], "unchanged": 3}


def test_other_content_becomes_a_revision_only_with_append(call, shop, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "cart.json").write_text(json.dumps(track("cart-impl", decisions=["edited"])))
    refused = call("import", folder)
    assert refused.code == 2
    assert "--append" in refused.err
    assert shop.revisions("shop")["tracks/cart-impl"] == (1,)
    assert call("import", folder, "--append").code == 0
    assert shop.require("shop", "tracks/cart-impl")[1]["decisions"] == ["edited"]


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("bad.json", "{", "not JSON"),
        ("bad.json", json.dumps(track("pay-impl", decisions=7)), "/decisions"),
        ("bad.json", json.dumps(track("Pay")), "not usable"),
        ("bad.json", json.dumps(head("shop", task_id="pay-impl")), "without parent_workflow_id"),
        ("bad.json", json.dumps({**track("pay-impl"), "parent_workflow_id": "other"}), "neither in"),
        ("bad.json", json.dumps({**track("pay-impl"), "version": "9.0"}), "update plait"),
        ("bad.json", json.dumps({**track("pay-impl"), "files_modified": ["../../etc/passwd"]}), "/files_modified/0"),
        (
            "bad.json",
            json.dumps(track("pay-impl", evidence_log={"sha256": "a" * 64, "size": 1, "media_type": "text/plain"})),
            "blobs/aaaa",
        ),
    ],
)
def test_one_bad_file_and_nothing_is_saved(call, tmp_path, name, body, said):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(parent("cart-impl", "pay-impl")))
    (folder / "b.json").write_text(json.dumps(track("cart-impl")))
    (folder / name).write_text(body)
    result = call("import", folder)
    assert result.code == 2
    assert said in result.err
    assert list(LocalObjects(tmp_path / "store").list("")) == []


def test_a_folder_without_context_files_is_bad_input(call, tmp_path):
    assert call("import", tmp_path / "none").code == 2
    (tmp_path / "empty").mkdir()
    assert "no .json files" in call("import", tmp_path / "empty").err


def test_a_damaged_blob_is_not_imported(call, shop, tmp_path):
    call("export", "shop", tmp_path / "out")
    blob = next((tmp_path / "out" / "blobs").iterdir())
    blob.write_bytes(b"other")
    result = call("import", tmp_path / "out", "--store", tmp_path / "other")
    assert result.code == 2
    assert "not what its name says" in result.err


def test_a_blob_that_never_ends_is_read_no_further_than_its_document_says(call, shop, tmp_path):
    call("export", "shop", tmp_path / "out")
    blob = next((tmp_path / "out" / "blobs").iterdir())
    blob.unlink()
    blob.symlink_to("/dev/zero")
    result = call("import", tmp_path / "out", "--store", tmp_path / "other")
    assert result.code == 2
    assert "not what its name says" in result.err


def test_export_replaces_other_files_only_with_force(call, shop, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "shop.json").write_text("mine")
    refused = call("export", "shop", folder)
    assert refused.code == 2
    assert [path.name for path in folder.iterdir()] == ["shop.json"]
    assert (folder / "shop.json").read_text() == "mine"
    assert call("export", "shop", folder, "--force").code == 0
    assert call("export", "shop", folder).code == 0


def test_a_context_ref_that_leads_elsewhere_names_no_file(call, contexts: ContextStore, tmp_path):
    whole = parent("cart-impl", "pay-impl")
    whole["parallel_tasks"][0]["context_ref"] = "../../../shop.json"
    whole["parallel_tasks"][1]["context_ref"] = "/etc/passwd"
    contexts.save(whole, workflow_id="shop", name="context", after=0)
    for task_id in ("cart-impl", "pay-impl"):
        contexts.save(track(task_id), workflow_id="shop", name=f"tracks/{task_id}", after=0)
    assert call("export", "shop", tmp_path / "out").code == 0
    assert sorted(read_all(tmp_path / "out")) == ["shop-cart-impl.json", "shop-pay-impl.json", "shop.json"]
