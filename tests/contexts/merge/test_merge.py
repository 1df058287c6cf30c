from __future__ import annotations

from typing import Any

import orjson
import pytest

from contexts.documents.codec import seal
from contexts.documents.merged import Concern
from contexts.errors import BadIdentifier, ChecksumMismatch, DocumentError
from contexts.merge import assemble, contribute, derive, merge_files, read_loose
from contexts.merge.left_out import left_out_decisions
from tests.contexts.merge_strategies import parent

STAMP = "2026-01-15T10:10:00Z"


def track(task_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "workflow_id": f"feature-{task_id}",
        "parent_workflow_id": "feature",
        "task_id": task_id,
        "timestamp": "2026-01-15T10:05:00Z",
        "current_agent": "developer",
        "phase": "done",
        **fields,
    }


def merge(*documents: dict[str, Any], head: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    parts = [contribute(document) for document in documents]
    whole = head or parent([part.task_id for part in parts])
    merged = assemble(whole, {part.task_id: part for part in parts}, timestamp=STAMP, **options)
    return orjson.loads(orjson.dumps(merged))


def concerns(merged: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in merged["integration_concerns"] if one["kind"] == kind]


def test_differing_decisions_are_shown_with_their_sources_and_count_as_no_concern() -> None:
    merged = merge(
        track("api", decisions=["Use REST", {"topic": "ids", "choice": "uuid", "rationale": "no guessing"}]),
        track("web", decisions=[{"topic": " IDs ", "choice": "Integer"}]),
    )
    (concern,) = concerns(merged, "differing-decisions")
    assert concern["tracks"] == ["api", "web"]
    assert concern["sources"] == [
        {"document": "api", "pointer": "/decisions/1", "quote": "uuid"},
        {"document": "web", "pointer": "/decisions/0", "quote": "Integer"},
    ]
    assert concern["status"] == "differing"
    assert merged["context_summary"].endswith("0 concerns.")
    assert len(merged["decisions"]) == 3


def test_the_summary_says_one_of_a_thing_in_the_singular() -> None:
    api = track("api", files_modified=["a.py"], decisions=["Use REST"], pending_actions=["Sweep"])
    one = "Merged 1 of 1 track: 1 file, 1 decision, 1 pending action, 0 concerns."
    assert merge(dict(api))["context_summary"] == one
    two = "Merged 2 of 2 tracks: 2 files, 1 decision, 1 pending action, 0 concerns."
    assert merge(api, track("web", files_modified=["b.py"]))["context_summary"] == two


def test_decisions_that_agree_but_for_case_and_space_are_no_concern() -> None:
    merged = merge(
        track("api", decisions=[{"topic": "ids", "choice": "UUID"}]),
        track("web", decisions=[{"topic": "ids", "choice": " uuid "}, {"topic": "colour", "choice": "red"}]),
    )
    assert concerns(merged, "differing-decisions") == []
    assert len(merged["decisions"]) == 3


def test_differing_statuses_of_one_action_are_shown() -> None:
    merged = merge(
        track("api", pending_actions=[{"action": "Seed", "status": "done"}, {"action": "Ship", "status": "open"}]),
        track("web", pending_actions=["Seed", {"action": "Ship", "status": "open"}]),
        track("e2e", pending_actions=[{"action": " Seed", "status": "open"}]),
    )
    (concern,) = concerns(merged, "differing-statuses")
    assert concern["tracks"] == ["api", "e2e"]
    assert [source["quote"] for source in concern["sources"]] == ["done", "open"]
    assert [one["action"] for one in merged["pending_actions"]] == ["Seed", "Ship"]
    assert [one["value"] for one in merged["omissions"]] == ["Seed", {"action": " Seed", "status": "open"}]


def test_actions_with_different_subjects_are_different() -> None:
    merged = merge(
        track("api", pending_actions=[{"action": "Deploy", "subject": "api"}, {"action": "Deploy"}, "Deploy"]),
        track("web", pending_actions=[{"action": "Deploy", "subject": "web"}]),
    )
    assert merged["pending_actions"] == [
        {"action": "Deploy", "subject": "api"},
        {"action": "Deploy"},
        {"action": "Deploy", "subject": "web"},
    ]


def test_actions_are_the_same_in_whatever_unicode_form_they_are_written() -> None:
    merged = merge(track("web", pending_actions=["Cafe\u0301 "]), track("api", pending_actions=["Caf\u00e9"]))
    assert merged["pending_actions"] == ["Cafe\u0301 "]
    assert merged["provenance"]["pending_actions"] == [["web#/pending_actions/0", "api#/pending_actions/0"]]


def test_a_file_two_tracks_changed_is_a_concern_unless_git_has_settled_it() -> None:
    both = (track("api", files_modified=["a.py", "b.py"]), track("web", files_modified=["b.py", "b.py"]))
    (concern,) = concerns(merge(*map(dict, both)), "same-file")
    assert (concern["files"], concern["tracks"]) == (["b.py"], ["api", "web"])
    assert concerns(merge(*map(dict, both), files_settled=True), "same-file") == []


def test_a_gap_says_why() -> None:
    merged = merge(track("api"), head=parent(["api", "web"]), gaps={"web": "its agent exited with 3"})
    (concern,) = concerns(merged, "missing-track")
    assert concern["concern"] == "Track web is missing from the merge: its agent exited with 3"
    assert merged["parallel_tasks"][1]["reason"] == "its agent exited with 3"


def test_concerns_found_elsewhere_are_kept_beside_the_parents_own() -> None:
    head = {**parent(["api"]), "integration_concerns": [{"concern": "Slow", "kind": "mine"}]}
    merged = merge(track("api"), head=head, extra_concerns=[Concern(concern="Branch conflicts", kind="conflict")])
    assert [one["concern"] for one in merged["integration_concerns"]] == ["Slow", "Branch conflicts"]


def test_what_the_parent_lists_itself_is_named_among_the_omissions() -> None:
    head = {
        **parent(["api"]),
        "context_summary": "Begun.",
        "decisions": ["Use REST", "Use SQL"],
        "metrics": {"cost": 5, "total_files_modified": 99},
    }
    merged = merge(track("api", decisions=["Use SQL"]), head=head)
    assert merged["decisions"] == ["Use SQL"]
    assert [(one["pointer"], one["value"]) for one in merged["omissions"]] == [
        ("/context_summary", "Begun."),
        ("/decisions/0", "Use REST"),
    ]
    assert merged["metrics"]["cost"] == 5
    assert merged["metrics"]["total_files_modified"] == 0


def test_a_later_merge_does_not_keep_the_gaps_of_an_earlier_one() -> None:
    earlier = merge(track("api"), head=parent(["api", "web"]))
    later = merge(track("api"), track("web"), head=earlier)
    assert later["status"] == "complete"
    assert later["integration_concerns"] == []
    assert later["omissions"] == []


def test_an_empty_merge_is_partial_and_whole() -> None:
    merged = merge(head=parent(["api"]))
    assert merged["status"] == "partial"
    assert merged["decisions"] == []
    assert merged["provenance"]["decisions"] == []


def test_durations_come_from_recorded_times_and_never_run_backwards() -> None:
    head = parent(["api", "web", "e2e"])
    merged = merge(
        track("api", started_at="2026-01-15T09:05:00Z", completed_at="2026-01-15T10:05:30+00:00"),
        track("web", started_at="2026-01-15T12:00:00+02:00"),
        track("e2e", started_at="2027-01-01T00:00:00Z"),
        head=head,
    )
    summary = merged["parallel_execution_summary"]
    assert [task.get("duration_minutes") for task in summary["tasks"]] == [60.5, 5, None]
    assert (summary["started_at"], summary["total_duration_minutes"]) == ("2026-01-15T09:05:00Z", 60.5)


@pytest.mark.parametrize("field", ["files_modified", "decisions", "pending_actions", "error_log"])
@pytest.mark.parametrize("value", ["x", {"a": 1}, 5, [5], [None], [[]], [{}], ["fine", {"other": 1}]])
def test_a_list_of_the_wrong_things_is_refused_with_its_pointer(field: str, value: Any) -> None:
    with pytest.raises(DocumentError) as caught:
        contribute(track("api", **{field: value}))
    assert str(caught.value.pointer).startswith(f"/{field}")


@pytest.mark.parametrize("task_id", [None, "", 5, ["api"]])
def test_a_document_without_a_task_id_is_no_track(task_id: Any) -> None:
    with pytest.raises(DocumentError, match="no task_id"):
        contribute(track("api") | {"task_id": task_id})


@pytest.mark.parametrize("task_id", ["../x", "a#b", 'a"b', "A", "a/b", "x.lock"])
def test_a_task_id_that_must_not_become_a_name_is_refused(task_id: str) -> None:
    with pytest.raises(BadIdentifier):
        contribute(track("api") | {"task_id": task_id})


def test_a_loose_document_that_was_changed_after_sealing_is_refused() -> None:
    body, proof = seal(track("api", decisions=["Use REST"]))
    whole = orjson.loads(body)
    assert contribute(dict(whole)).sha256 == proof
    with pytest.raises(ChecksumMismatch):
        contribute({**whole, "decisions": ["Use SOAP"]})
    with pytest.raises(ChecksumMismatch, match=r"api\.json was changed"):
        read_loose(body.replace(b"REST", b"SOAP"), "api.json")
    head = ("parent.json", orjson.dumps(parent(["api"])))
    merged = orjson.loads(merge_files(head, [("api.json", body)], timestamp=STAMP).body)
    assert merged["track_contexts"]["api"]["sha256"] == proof


def test_the_checksum_of_a_contribution_is_that_of_its_document() -> None:
    document = track("api", decisions=["b", "a"], pending_actions=None, zeta=1.0)
    _, proof = seal(document)
    assert contribute(dict(document)).sha256 == proof


def test_the_same_file_twice_is_one_and_two_different_ones_of_a_track_are_refused() -> None:
    head = ("parent.json", orjson.dumps(parent(["api"])))
    one = ("one.json", orjson.dumps(track("api")))
    pretty = ("pretty.json", orjson.dumps(track("api"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    assert not merge_files(head, [one, pretty, one], timestamp=STAMP).partial
    other = ("other.json", orjson.dumps(track("api", decisions=["x"])))
    with pytest.raises(DocumentError, match=r"other\.json and one\.json are different documents of track api"):
        merge_files(head, [one, pretty, other], timestamp=STAMP)


def test_a_track_of_another_workflow_is_refused() -> None:
    head = ("parent.json", orjson.dumps(parent(["api"])))
    stranger = ("api.json", orjson.dumps(track("api", parent_workflow_id="another")))
    with pytest.raises(DocumentError, match=r"api\.json belongs to workflow another, not to feature"):
        merge_files(head, [stranger], timestamp=STAMP)


def test_a_parent_without_tracks_or_with_wrong_fields_is_refused() -> None:
    for head, said in (
        ({key: value for key, value in parent([]).items() if key != "parallel_tasks"}, "no parallel_tasks"),
        (parent([]), "no parallel_tasks"),
        (parent(["a"]) | {"parallel_tasks": [{"agent": "x"}]}, "/parallel_tasks/0/task_id"),
        (track("api"), "no parallel_tasks"),
    ):
        with pytest.raises(DocumentError, match=said):
            merge_files(("parent.json", orjson.dumps(head)), [], timestamp=STAMP)


def test_files_are_read_one_at_a_time() -> None:
    alive: list[str] = []

    def files() -> Any:
        for name in ("api", "web"):
            alive.append(name)
            yield f"{name}.json", orjson.dumps(track(name))
            alive.append(f"{name} folded")

    merge_files(("parent.json", orjson.dumps(parent(["api", "web"]))), files(), timestamp=STAMP)
    assert alive == ["api", "api folded", "web", "web folded"]


def test_a_failed_tracks_document_is_merged_and_leaves_the_merge_partial() -> None:
    head = ("parent.json", orjson.dumps(parent(["api"])))
    merged = merge_files(head, [("a", orjson.dumps(track("api", status="failed", decisions=["x"])))], timestamp=STAMP)
    assert merged.partial
    assert merged.missing == ()
    assert orjson.loads(merged.body)["decisions"] == ["x"]


def test_derived_provenance_is_the_same_as_json_and_as_lists() -> None:
    parts = [
        contribute(track("api", files_modified=["a", "b"], decisions=["d"])),
        contribute(track("web", files_modified=["b", "a"])),
    ]
    derived = derive({part.task_id: part for part in parts}, ["web", "api"])
    lists = derived.provenance
    assert lists["files_modified"] == [
        ["web#/files_modified/0", "api#/files_modified/1"],
        ["web#/files_modified/1", "api#/files_modified/0"],
    ]
    assert orjson.loads(orjson.dumps(derived.take_provenance_json())) == lists


def test_decisions_of_tracks_whose_branch_was_left_out_are_marked() -> None:
    merged = merge(track("api", decisions=["Use REST"]), track("web", decisions=["Use HTMX", "Use REST"]))
    assert left_out_decisions(merged["provenance"], ["web"]) == {"web": ["/decisions/1", "/decisions/2"]}
    assert left_out_decisions(merged["provenance"], []) == {}
