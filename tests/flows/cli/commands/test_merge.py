import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.document_sets import REFERENCE, each_once, read
from tests.flows.cli.documents import parent, track


def write(path: Path, value: object) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@pytest.fixture
def files(tmp_path):
    return {
        "parent": write(tmp_path / "parent.json", parent("cart-impl", "pay-impl")),
        "cart": write(tmp_path / "cart.json", track("cart-impl", x_own={"n": 2**63})),
        "pay": write(tmp_path / "pay.json", track("pay-impl")),
    }


def test_the_merged_document_goes_to_stdout_with_every_tracks_details(call, files):
    result = call("merge", files["parent"], files["pay"], files["cart"])
    merged = result.json()
    assert result.code == 0
    assert merged["decisions"] == ["decide cart-impl", "decide pay-impl"]
    assert merged["track_contexts"]["cart-impl"]["context"]["x_own"] == {"n": 2**63}
    assert merged["phase"] == "parallel-complete-merge"


def test_a_set_of_documents_merges_completely(call, documents):
    result = call("merge", documents.parent, *documents.tracks)
    merged = result.json()
    assert result.code == 0
    for name in ("decisions", "pending_actions", "files_modified"):
        assert merged[name] == each_once(item for path in documents.tracks for item in read(path)[name])


@pytest.mark.parametrize("documents", [REFERENCE])
def test_the_reference_merges_to_sixteen_decisions(call, documents):
    merged = call("merge", documents.parent, *documents.tracks).json()
    assert [len(merged[name]) for name in ("decisions", "pending_actions", "files_modified")] == [16, 12, 19]


def test_a_missing_track_makes_the_merge_partial_and_is_named(call, files):
    result = call("merge", files["parent"], files["cart"])
    assert result.code == 3
    assert "pay-impl" in result.err
    assert result.json()["phase"] == "parallel-partial-merge"


def test_a_track_whose_own_document_says_that_it_failed_makes_the_merge_partial(call, files, tmp_path):
    failed = write(tmp_path / "failed.json", track("pay-impl", status="failed"))
    result = call("merge", files["parent"], files["cart"], failed)
    assert result.code == 3
    assert "pay-impl did not complete" in result.err
    assert result.json()["status"] == "partial"
    assert result.json()["decisions"] == ["decide cart-impl", "decide pay-impl"]


def test_output_is_written_whole_and_never_replaced_without_force(call, files, tmp_path):
    target = tmp_path / "merged.json"
    assert call("merge", files["parent"], files["cart"], files["pay"], "--output", target).out == ""
    first = target.read_bytes()
    refused = call("merge", files["parent"], files["cart"], "-o", target)
    assert refused.code == 2
    assert "--force" in refused.err
    assert target.read_bytes() == first
    assert call("merge", files["parent"], files["cart"], "-o", target, "--force").code == 3
    assert json.loads(target.read_bytes())["phase"] == "parallel-partial-merge"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "cart.json",
        "merged.json",
        "parent.json",
        "pay.json",
    ]


def test_an_output_folder_that_is_not_there_is_bad_input(call, files, tmp_path):
    result = call("merge", files["parent"], files["cart"], "-o", tmp_path / "no" / "merged.json")
    assert result.code == 2
    assert "cannot write" in result.err


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"version": "1.0", ', "line 1"),
        ("[]", "not an object"),
        ('{"version": "1.0", "version": "1.0"}', "twice"),
        (track("pay-impl", n="x") | {"big": 2**70}, "64 bits"),
        (track("pay-impl") | {"version": "2.0"}, "update plait"),
        (track("pay-impl") | {"decisions": "all"}, "decisions is not a list"),
        (track("pay-impl") | {"parent_workflow_id": "garage"}, "belongs to workflow garage"),
        (track("cart-impl", decisions=["other"]), "different documents of track cart-impl"),
        (track("pay-impl") | {"_checksum": "0" * 64}, "changed after its checksum"),
        (parent("a"), "no task_id"),
        ("\xff\x00", "not JSON"),
    ],
)
def test_a_bad_file_is_one_sentence_and_nothing_on_stdout(call, files, tmp_path, body, said):
    bad = write(tmp_path / "bad.json", body)
    result = call("merge", files["parent"], files["cart"], bad, "--output", tmp_path / "merged.json")
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert not (tmp_path / "merged.json").exists()


def test_a_file_that_is_not_there_and_a_parent_without_tracks_are_bad_input(call, files, tmp_path):
    assert "cannot read" in call("merge", files["parent"], tmp_path / "none.json").err
    result = call("merge", files["cart"], files["pay"])
    assert result.code == 2
    assert "parallel_tasks" in result.err


def test_a_track_the_parent_does_not_list_is_merged_and_said(call, files, tmp_path):
    extra = write(tmp_path / "extra.json", track("extra-impl"))
    result = call("merge", files["parent"], files["cart"], files["pay"], extra)
    assert result.code == 0
    assert "extra-impl" in result.err
    assert "decide extra-impl" in result.json()["decisions"]


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("as_parent", [True, False])
@pytest.mark.parametrize("piped", [True, False])
def test_what_never_ends_is_read_to_the_limit_and_no_further(call, files, tmp_path, piped, as_parent):
    path = tmp_path / "pipe" if piped else Path("/dev/zero")
    writer = None
    if piped:
        os.mkfifo(path)
        writer = subprocess.Popen(["sh", "-c", f"exec cat /dev/zero > {path}"], stderr=subprocess.DEVNULL)
    try:
        result = call("merge", *((path, files["cart"]) if as_parent else (files["parent"], path)))
    finally:
        if writer:
            writer.kill()
            writer.wait(10)
    assert result.code == 2
    assert result.out == ""
    assert f"{path} has more than 100 MB" in result.err
    assert len(result.err.strip().splitlines()) == 1


@pytest.mark.usefixtures("outside")
def test_a_pipe_that_ends_is_a_file_like_any_other(call, files, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"cat {files['pay']} > {pipe}"]):
        result = call("merge", files["parent"], files["cart"], pipe)
    assert result.code == 0
    assert result.json()["decisions"] == ["decide cart-impl", "decide pay-impl"]


def test_the_workflows_document_is_found_wherever_it_stands(call, files):
    first = call("merge", files["parent"], files["cart"], files["pay"])
    for order in (("cart", "parent", "pay"), ("cart", "pay", "parent"), ("pay", "parent", "cart")):
        result = call("merge", *(files[name] for name in order))
        assert (result.code, result.err) == (0, "")
        assert {**result.json(), "timestamp": ""} == {**first.json(), "timestamp": ""}


def test_an_export_is_merged_as_its_files_come(call, shop, tmp_path):
    assert call("export", "shop", tmp_path / "out").code == 0
    paths = sorted((tmp_path / "out").glob("*.json"))
    assert [path.name for path in paths] == ["shop-cart.json", "shop-pay.json", "shop.json"]
    write(paths[-1], parent("cart-impl", "pay-impl"))
    group = {**parent(), "workflow_id": "shop-all", "parent_workflow_id": "shop", "group_id": "all", "kind": "group"}
    write(tmp_path / "out" / "shop.group-all.json", group)
    result = call("merge", *sorted((tmp_path / "out").glob("*.json")))
    assert (result.code, result.err) == (0, "")
    assert result.json()["decisions"] == ["decide cart-impl", "decide pay-impl"]


def test_where_the_workflows_document_cannot_be_told_it_is_asked_for(call, files, tmp_path):
    other = write(tmp_path / "other.json", parent("cart-impl", decisions=["another"]))
    for given in (("cart", "pay"), ("cart", "parent", "other")):
        result = call("merge", *({**files, "other": other}[name] for name in given))
        assert (result.code, result.out) == (2, "")
        assert "give the workflow's document first" in result.err
        assert len(result.err.strip().splitlines()) == 1
    stranger = write(tmp_path / "stranger.json", {**parent("cart-impl"), "workflow_id": "garage"})
    assert "none of the files" in call("merge", files["cart"], stranger).err


@pytest.mark.usefixtures("outside")
def test_pipes_are_read_once_wherever_they_stand(call, files, tmp_path):
    for piped in ("cart", "parent", "pay"):
        pipe = tmp_path / f"{piped}-pipe"
        os.mkfifo(pipe)
        paths = {**files, piped: pipe}
        with subprocess.Popen(["sh", "-c", f"cat {files[piped]} > {pipe}"]):
            result = call("merge", paths["cart"], paths["parent"], paths["pay"])
        assert (result.code, result.err) == (0, "")
        assert result.json()["decisions"] == ["decide cart-impl", "decide pay-impl"]
