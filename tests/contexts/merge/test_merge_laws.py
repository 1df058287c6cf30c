from __future__ import annotations

import copy
import unicodedata
from collections.abc import Mapping
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from contexts.documents.codec import checksum
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.json.pointer import resolve
from contexts.merge import (
    Contribution,
    assemble,
    contribute,
    dump_contributions,
    load_contributions,
    merge_files,
    union,
)
from contexts.merge.contribution import MERGED_LISTS
from tests.contexts.merge_strategies import contributed, orders, parent, tracks

STAMP = "2026-01-15T10:10:00Z"
Documents = dict[str, dict[str, Any]]


def state(documents: Mapping[str, dict[str, Any]], revision: int = 0) -> dict[str, Contribution]:
    made = (contribute(copy.deepcopy(one), ref=ref(one, revision)) for one in documents.values())
    return {one.task_id: one for one in made}


def ref(document: dict[str, Any], revision: int) -> ContextRef | None:
    if not revision:
        return None
    name = f"tracks/{document['task_id']}"
    return ContextRef(workflow_id="feature", document=name, revision=revision, sha256=checksum(document), size=1)


def merged(contributions: Mapping[str, Contribution], order: list[str]) -> dict[str, Any]:
    """Return the merged document, expanded, as it is printed."""
    return orjson.loads(orjson.dumps(assemble(parent(order), contributions, timestamp=STAMP, expanded=True)))


def through_a_group(contributions: Mapping[str, Contribution]) -> dict[str, Contribution]:
    return load_contributions(orjson.loads(orjson.dumps(dump_contributions(contributions))))


def normal(item: Any) -> Any:
    if isinstance(item, str):
        return unicodedata.normalize("NFC", item).strip()
    return {"action": normal(item["action"]), "subject": normal(str(item.get("subject") or ""))}


def same(one: Any, other: Any) -> bool:
    """Return whether two items are equal after normalisation; an action without a subject may also be its text."""
    if one == other:
        return True

    def words(item: Any) -> tuple[str, str]:
        if isinstance(item, str):
            return normal(item), ""
        return normal(item["action"]), normal(str(item.get("subject") or ""))

    return words(one) == words(other)


@given(contributed, orders, st.randoms(use_true_random=False))
def test_a_merge_does_not_depend_on_the_order_of_its_tracks(
    documents: Documents, order: list[str], chance: Any
) -> None:
    shuffled = list(documents.items())
    chance.shuffle(shuffled)
    assert merged(state(dict(shuffled)), order) == merged(state(documents), order)
    assert orjson.dumps(merged(state(dict(shuffled)), order)) == orjson.dumps(merged(state(documents), order))


@given(contributed, orders, st.data())
def test_a_merge_of_groups_equals_the_flat_merge(documents: Documents, order: list[str], data: st.DataObject) -> None:
    groups: list[Documents] = [{}, {}, {}]
    for task_id, document in documents.items():
        groups[data.draw(st.integers(0, 2))][task_id] = document
    a, b, c = (through_a_group(state(group)) for group in groups)
    flat = merged(state(documents), order)
    assert merged(union(union(a, b), c), order) == flat
    assert merged(union(a, union(b, c)), order) == flat
    assert merged(union(through_a_group(union(c, a)), b), order) == flat


@given(contributed, orders)
def test_a_merge_of_stored_groups_refers_to_the_same_documents_as_the_flat_merge(
    documents: Documents, order: list[str]
) -> None:
    flat = state(documents, revision=3)
    stored = assemble(parent(order), flat, timestamp=STAMP)
    assert assemble(parent(order), through_a_group(flat), timestamp=STAMP) == stored
    assert all("context" not in track and track["ref"]["revision"] == 3 for track in stored["track_contexts"].values())


@given(contributed, orders)
def test_merging_the_same_again_changes_nothing(documents: Documents, order: list[str]) -> None:
    once = state(documents)
    assert merged(union(once, once, through_a_group(once)), order) == merged(once, order)
    assert merged(union(through_a_group(once), once), order) == merged(once, order)


@given(contributed, orders)
def test_a_merge_of_a_merge_with_the_same_tracks_changes_nothing(documents: Documents, order: list[str]) -> None:
    once = merged(state(documents), order)
    again = assemble(copy.deepcopy(once), state(documents), timestamp=STAMP, expanded=True)
    for name in (*MERGED_LISTS, "integration_concerns", "provenance", "track_contexts", "parallel_execution_summary"):
        assert orjson.loads(orjson.dumps(again[name])) == once[name]


@given(st.lists(tracks("api"), min_size=2, max_size=4), st.data())
def test_the_highest_revision_wins_whatever_the_order(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    maps = [state({"api": document}, number + 1) for number, document in enumerate(documents)]
    shuffled = data.draw(st.permutations(maps))
    assert union(*shuffled)["api"].revision == len(documents)
    assert merged(union(*shuffled), ["api"]) == merged(maps[-1], ["api"])


@given(tracks("api"), tracks("api"))
def test_of_equal_revisions_the_same_one_wins_in_either_order(first: dict[str, Any], second: dict[str, Any]) -> None:
    a, b = state({"api": first}), state({"api": second})
    assert union(a, b) == union(b, a)
    whole, bare = state({"api": first}, 2), through_a_group(state({"api": first}, 2))
    assert union(whole, bare) == union(bare, whole) == whole


@given(contributed, orders)
def test_every_item_of_every_track_is_in_the_merge_or_among_the_omissions(
    documents: Documents, order: list[str]
) -> None:
    result = merged(state(documents), order)
    for task_id, document in documents.items():
        for name in MERGED_LISTS:
            for index, item in enumerate(document.get(name) or ()):
                source = f"{task_id}#/{name}/{index}"
                kept = [
                    merged_item
                    for merged_item, sources in zip(result[name], result["provenance"][name], strict=True)
                    if source in sources
                ]
                assert len(kept) == 1, f"{source} is told of {len(kept)} times"
                omitted = [
                    one["value"]
                    for one in result["omissions"]
                    if one.get("task_id") == task_id and one.get("pointer") == f"/{name}/{index}"
                ]
                assert kept == [item] or omitted == [item]


@given(contributed, orders)
def test_every_other_field_of_every_track_is_in_the_expanded_merge(documents: Documents, order: list[str]) -> None:
    result = merged(state(documents), order)
    assert result["track_contexts"].keys() == documents.keys()
    for task_id, document in documents.items():
        rest = {key: value for key, value in document.items() if key not in MERGED_LISTS or value is None}
        assert orjson.dumps(result["track_contexts"][task_id]["context"]) == orjson.dumps(rest)


@given(contributed, orders)
def test_loose_tracks_are_whole_in_a_merge_that_is_not_expanded_too(documents: Documents, order: list[str]) -> None:
    plain = assemble(parent(order), state(documents), timestamp=STAMP)
    assert plain["track_contexts"] == merged(state(documents), order)["track_contexts"]
    assert plain["provenance"] == merged(state(documents), order)["provenance"]


@given(contributed, orders)
def test_every_item_leads_back_to_the_places_it_came_from(documents: Documents, order: list[str]) -> None:
    result = merged(state(documents), order)
    for name in MERGED_LISTS:
        assert len(result[name]) == len(result["provenance"][name])
        for item, sources in zip(result[name], result["provenance"][name], strict=True):
            assert sources
            assert len(set(sources)) == len(sources)
            for source in sources:
                task_id, _, place = source.partition("#")
                found = resolve(documents[task_id], place)
                assert same(found, item) if name == "pending_actions" else found == item


@given(contributed, orders)
def test_lists_are_in_spec_order_and_strangers_follow_by_name(documents: Documents, order: list[str]) -> None:
    result = merged(state(documents), order)
    expected = [name for name in order if name in documents] + sorted(documents.keys() - set(order))
    assert list(result["track_contexts"]) == expected
    assert result["decisions"] == [item for name in expected for item in documents[name].get("decisions") or ()]
    assert result["error_log"] == [item for name in expected for item in documents[name].get("error_log") or ()]
    assert result["files_modified"] == list(
        dict.fromkeys(path for name in expected for path in documents[name].get("files_modified") or ())
    )


@given(contributed, orders)
def test_pending_actions_are_told_once_in_the_words_of_the_first(documents: Documents, order: list[str]) -> None:
    result = merged(state(documents), order)
    every = [item for name in result["track_contexts"] for item in documents[name].get("pending_actions") or ()]
    first: list[Any] = []
    for item in every:
        if not any(same(item, known) for known in first):
            first.append(item)
    assert result["pending_actions"] == first


@given(contributed, orders)
def test_a_missing_track_is_named_and_makes_the_merge_partial(documents: Documents, order: list[str]) -> None:
    result = merged(state(documents), order)
    missing = [name for name in order if name not in documents]
    unfinished = [name for name in result["track_contexts"] if documents[name].get("status") == "failed"]
    gaps = [one["tracks"] for one in result["integration_concerns"] if one["kind"] == "missing-track"]
    assert gaps == [[name] for name in missing]
    assert [one["task_id"] for one in result["omissions"] if one["what"] == "track"] == missing
    assert [entry["task_id"] for entry in result["parallel_tasks"] if entry["status"] == "missing"] == missing
    partial = bool(missing or unfinished)
    assert result["status"] == ("partial" if partial else "complete")
    assert result["phase"] == ("parallel-partial-merge" if partial else "parallel-complete-merge")
    assert all(name in result["context_summary"] for name in (*missing, *unfinished))


@given(contributed, orders)
def test_what_the_parent_says_is_carried(documents: Documents, order: list[str]) -> None:
    given_parent = parent(order)
    result = merged(state(documents), order)
    for name in (
        "workflow_id", "feature_spec", "shared_constraints", "integration_requirements", "success_criteria",
        "unheard-of",
    ):  # fmt: skip
        assert result[name] == given_parent[name]
    assert [{**entry, "status": None, "reason": None} for entry in result["parallel_tasks"]] == [
        {**entry, "status": None, "reason": None} for entry in given_parent["parallel_tasks"]
    ]


@given(contributed, orders)
def test_the_merged_document_fits_the_format(documents: Documents, order: list[str]) -> None:
    result = merged(state(documents), order)
    for path in result["files_modified"]:
        assert path
    Context.model_validate_json(orjson.dumps(result))
    assert len(result["context_summary"]) <= 500


@given(contributed, orders.filter(bool))
def test_a_merge_of_files_is_the_merge_of_their_documents(documents: Documents, order: list[str]) -> None:
    files = [(f"{name}.json", orjson.dumps(one, option=orjson.OPT_INDENT_2)) for name, one in documents.items()]
    result = merge_files(("parent.json", orjson.dumps(parent(order))), iter(files), timestamp=STAMP)
    assert orjson.loads(result.body) == merged(state(documents), order)
    assert result.missing == tuple(name for name in order if name not in documents)
    assert result.unlisted == tuple(sorted(documents.keys() - set(order)))


@given(tracks("api"))
def test_a_sealed_file_and_the_same_unsealed_merge_alike_in_either_order(document: dict[str, Any]) -> None:
    bare = state({"api": document})
    sealed = {"api": contribute({**copy.deepcopy(document), "_checksum": checksum(document)})}
    assert merged(union(bare, sealed), ["api"]) == merged(union(sealed, bare), ["api"]) == merged(sealed, ["api"])
