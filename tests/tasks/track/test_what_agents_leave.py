"""Whatever an agent left as its context, its track has a document that holds, and nothing of it is lost."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexts.documents.codec import LIMIT_BYTES, validate
from contexts.documents.lenient import MOST_EARLIER, MOST_TEXT, read_leniently
from contexts.errors import DocumentError
from contexts.merge import assemble, contribute, derive, union
from contexts.spec.model import Track
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tasks.agents.backend import Delivery
from tasks.agents.left import read_left
from tasks.run import budget as spending
from tasks.run.track_runtime import TrackRuntime
from tasks.track.document import OURS, describe_success
from tasks.track.workspace import Work
from tests.steps import calls

TRACK = Track.model_validate({"task_id": "api", "agent": "writer"})
WHOLE_HEAD = {
    "version": "1.0",
    "workflow_id": "w",
    "timestamp": "2026-01-01T00:00:00Z",
    "current_agent": "x",
    "phase": "p",
}
WORK = Work("a" * 40, "b" * 40, "c" * 40, ("made.py",), (), (), (), None)


def document_of(raw: bytes, work: Work | None = WORK) -> dict[str, Any]:
    left = read_leniently(raw)
    run = cast("TrackRuntime", SimpleNamespace(workflow_id="w"))
    return describe_success(run, TRACK, Delivery(left.document, claims=left.claims, odd=left.odd), work).to_json()


def holds(document: dict[str, Any]) -> None:
    """The document is valid, comes back from a store as it was, and merges."""
    validate(document)
    assert document["files_modified"] == ["made.py"]
    assert (document["status"], document["task_id"]) == ("completed", "api")
    with TemporaryDirectory() as folder:
        store = ContextStore(LocalObjects(Path(folder)))
        ref = store.save(document, workflow_id="w", name="tracks/api", after=0)
        again = store.load(ref)
        assert {key: again[key] for key in document if key != "findings"} == {
            key: value for key, value in document.items() if key != "findings"
        }
        part = contribute(again, ref=ref)
        merged = union({part.task_id: part})
        derive(merged, ["api"])
        parent = {"version": "1.0", "workflow_id": "w", "timestamp": document["timestamp"], "current_agent": "x",
                  "phase": "p", "parallel_tasks": [{"task_id": "api"}]}  # fmt: skip
        result = assemble(
            parent, merged, timestamp=document["timestamp"], gaps={}, extra_concerns=[], files_settled=True
        )
        store.save(result, workflow_id="w", name="context", after=0)


def warnings(document: dict[str, Any]) -> list[str]:
    return [one["message"] for one in document.get("findings", []) if one["rule"] == "claims/context-misfit"]


SHAPES: list[tuple[str, bytes, str, Any]] = [
    ("a list at the top", b'["did it"]', "context.json", ["did it"]),
    ("a text at the top", b'"did it"', "context.json", "did it"),
    ("null at the top", b"null", "context.json", None),
    ("a text where a list belongs", b'{"decisions": "use X"}', "decisions", "use X"),
    ("a number in a list of texts", b'{"decisions": ["use X", 5]}', "/decisions/1", 5),
    ("null in a list", b'{"pending_actions": [null]}', "/pending_actions/0", None),
    ("an object without what it needs", b'{"decisions": [{"decision": "X"}]}', "/decisions/0", {"decision": "X"}),
    ("a wrong part of an object", b'{"decisions": [{"topic": "t", "choice": "c", "rationale": 1}]}',
     "/decisions/0/rationale", 1),
    ("an object where a list belongs", b'{"error_log": {"error": "x"}}', "error_log", {"error": "x"}),
    ("texts where objects belong", b'{"error_log": ["broke"]}', "/error_log/0", "broke"),
    ("a number as a text", b'{"usage": {"cost_usd": "0.5", "input_tokens": 3}}', "/usage/cost_usd", "0.5"),
    ("a report as a text", b'{"test_results": "all passed"}', "test_results", "all passed"),
    ("files as objects", b'{"files_modified": [{"path": "made.py"}, "made.py"]}', "/files_modified/0",
     {"path": "made.py"}),
    ("absolute files", b'{"files_modified": ["/srv/made.py"]}', "/files_modified/0", "/srv/made.py"),
    ("a time that is none", b'{"timestamp": "yesterday"}', "timestamp", "yesterday"),
    ("another track", b'{"task_id": "page"}', "task_id", "page"),
    ("another workflow", b'{"workflow_id": "other"}', "workflow_id", "other"),
    ("a format of tomorrow", b'{"version": "9.0"}', "version", "9.0"),
    ("a long summary", b'{"context_summary": "' + b"a" * 600 + b'"}', "context_summary", "a" * 600),
    ("evidence of its own", b'{"evidence": "trust me"}', "evidence", "trust me"),
    ("criteria of its own", b'{"criteria": [{"id": "x", "status": "met"}]}', "criteria", [{"id": "x", "status": "met"}]),
    ("waivers of its own", b'{"waivers": [1]}', "waivers", [1]),
    ("claims of its own", b'{"claims": "I did it"}', "claims", "I did it"),
    ("a key twice", b'{"context_summary": "one", "context_summary": "two"}', "context_summary", "one"),
    ("no JSON", b"Done! {", "context.json", "Done! {"),
    ("a comma too many", b'{"decisions": [],}', "context.json", '{"decisions": [],}'),
    ("nothing", b"", "context.json", ""),
    ("bytes that are no text", b"\xff{}", "context.json", "\ufffd{}"),
    ("a part of something", b'{"decisions": ["use', "context.json", '{"decisions": ["use'),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "claim", "value"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES])
def test_what_does_not_fit_is_kept_as_it_was_with_one_warning(raw: bytes, claim: str, value: Any) -> None:
    document = document_of(raw)
    assert document["claims"][claim] == value
    if claim in OURS or claim == "claims":
        assert warnings(document) == [], "plait's own words are put aside without one"
    else:
        assert len(warnings(document)) == 1
        assert (f"/{claim.removeprefix('/')}" if claim != "context.json" else "the whole") in warnings(document)[0]
    holds(document)


def test_what_fits_beside_it_is_taken() -> None:
    raw: dict[str, Any] = {
        "context_summary": "done", "mine": {"kept": True}, "test_results": "fine",
        "decisions": ["a", 1, {"topic": "t", "choice": "c"}, {"topic": 2, "choice": "c"}, "b"],
        "metadata": {"tags": "x", "owner": "Ann"}, "evidence": [1],
    }  # fmt: skip
    document = document_of(json.dumps(raw).encode())
    assert (document["context_summary"], document["mine"], document["metadata"]) == (
        "done",
        raw["mine"],
        {"owner": "Ann"},
    )
    assert document["decisions"] == ["a", {"topic": "t", "choice": "c"}, "b"]
    assert document["claims"] == {
        "test_results": "fine", "/decisions/1": 1, "/decisions/3": raw["decisions"][3], "/metadata/tags": "x",
        "evidence": [1],
    }  # fmt: skip
    assert len(warnings(document)) == 1
    holds(document)


def test_a_context_that_fits_is_taken_as_it_is_without_a_word() -> None:
    for raw in (b'{"context_summary": "x", "decisions": ["a"], "files_modified": ["made.py"], "own": null}',
                b'\xef\xbb\xbf{"context_summary": "x"}', '{"context_summary": "x"}'.encode("utf-16")):  # fmt: skip
        document = document_of(raw)
        assert document["context_summary"] == "x"
        assert ("claims" in document, document.get("findings")) == (False, None)
        holds(document)


def test_numbers_that_readers_would_change_are_kept_as_they_were_written() -> None:
    document = document_of(
        b'{"mine": [NaN, -Infinity, 123456789012345678901234567890, 1e999, 18446744073709551615, "\\ud800"]}'
    )
    assert document["mine"] == [
        "NaN", "-Infinity", "123456789012345678901234567890", "1e999", 18446744073709551615, "\ufffd\ufffd\ufffd",
    ]  # fmt: skip
    assert len(warnings(document)) == 1
    holds(document)


@pytest.mark.parametrize("levels", [100, 200, 100_000])
def test_deep_nesting_is_kept_one_way_or_another(levels: int) -> None:
    document = document_of(b'{"a": ' + b"[" * levels + b"]" * levels + b"}")
    assert ("a" in document) == (levels == 100)
    assert len(warnings(document)) == (levels != 100)
    holds(document)


def test_of_a_context_beyond_the_limit_the_small_members_are_taken_and_the_beginning_is_kept(tmp_path: Path) -> None:
    document = document_of(json.dumps({"log": "y" * 600_000, "decisions": ["a"]}).encode())
    assert ("log" in document, document["decisions"]) == (False, ["a"])
    assert document["claims"]["context.json"].startswith('{"log": "yyy')
    assert document["claims"]["context.json"].endswith("(600031 bytes in all)")
    assert "/log" in warnings(document)[0]
    holds(document)
    path = tmp_path / "context.json"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    left = read_left(path)
    assert (left.document, left.whole) == ({}, False)
    assert len(left.claims["context.json"]) < MOST_TEXT + 100
    assert left.claims["context.json"].endswith("(50000000 bytes in all)")


def test_what_an_agent_says_of_its_cost_counts_also_as_text() -> None:
    left = read_leniently(b'{"usage": {"cost_usd": "0.5", "input_tokens": "30", "output_tokens": 4}}')
    spent = spending.reported(left.document.get("usage"))
    assert (spent.cost_usd, spent.tokens) == (0.5, 34)


NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(-(2**70), 2**70))
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=12,
)
FIELDS = (
    "version", "workflow_id", "timestamp", "current_agent", "phase", "next_agent", "parent_workflow_id", "task_id",
    "status", "context_summary", "feature_spec", "parallel_tasks", "shared_constraints", "success_criteria",
    "files_modified", "decisions", "pending_actions", "constraints", "error_log", "checkpoints", "checkpoint", "metadata",
    "usage", "implementation_details", "api_contract_assumptions", "test_data", "test_results", "assumptions",
    "parallel_execution_summary", "integration_concerns", "metrics", "verification_results", "approvals", "deployments",
    "deployment_readiness", "test_coverage", "claims", "started_at", "completed_at", *sorted(OURS),
)  # fmt: skip
PARTS = st.sampled_from(
    [
        "topic",
        "choice",
        "rationale",
        "action",
        "subject",
        "status",
        "error",
        "timestamp",
        "tags",
        "cost_usd",
        "id",
        "path",
    ]
)
NATURAL = st.one_of(ANY, st.lists(st.one_of(st.text(max_size=9), st.dictionaries(PARTS, ANY, max_size=3)), max_size=4))


@settings(max_examples=75, deadline=None)
@given(st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=8)), NATURAL, max_size=6))
def test_whatever_json_object_is_left_the_track_has_a_document_that_holds(value: dict[str, Any]) -> None:
    holds(document_of(json.dumps(value).encode()))


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.binary(max_size=200), ANY.map(lambda value: json.dumps(value).encode()), st.text().map(str.encode)))
def test_whatever_bytes_are_left_the_track_has_a_document_that_holds(raw: bytes) -> None:
    holds(document_of(raw))


@pytest.mark.parametrize("said", ["blocked", "failed", 5, {"state": "blocked", "why": "no database"}])
def test_what_an_agent_says_of_its_own_status_is_kept_as_its_claim(said: Any) -> None:
    document = document_of(
        json.dumps({"context_summary": "x", "status": said, "files_modified": ["./made.py"]}).encode()
    )
    assert (document["status"], document["claims"]["status"]) == ("completed", said)
    assert warnings(document) == ["context.json holds what does not fit a context: /status; it is kept under claims"]
    assert [one["rule"] for one in document["findings"]] == ["claims/context-misfit"]


def again_and_again(count: int) -> bytes:
    return b"{" + b",".join(b'"a":%d' % number for number in range(count)) + b"}"


def again_within(count: int) -> bytes:
    """The same key at every level, so that all the values come to be at one place."""
    return b"{" + b",".join(b'"a":{"a":{"a":1,"a":2},"a":3}' for _ in range(count)) + b"}"


def misshapen(count: int) -> bytes:
    return json.dumps({"pending_actions": [{"x": 1}] * count}).encode()


def misshapen_within(count: int) -> bytes:
    return json.dumps(
        {"decisions": [{"decision": {}, "timestamp": []}] * count, "files_modified": [1] * count}
    ).encode()


def wrong_now_and_then(count: int) -> bytes:
    """Ninety items that do not fit, with ever more beside them that do."""
    items: list[Any] = ["x"] * count
    items[:90] = [{"topic": number, "choice": [], "rationale": 1} for number in range(90)]
    return json.dumps({"decisions": items}).encode()


@pytest.mark.parametrize(
    "shape",
    [again_and_again, again_within, misshapen, misshapen_within, wrong_now_and_then],
    ids=lambda one: one.__name__,
)
def test_four_times_as_much_that_does_not_fit_is_at_most_five_times_the_work(shape: Callable[[int], bytes]) -> None:
    small, large = shape(500), shape(2000)
    document_of(small)  # what is made once, is made
    assert calls(lambda: document_of(large)) <= 5 * calls(lambda: document_of(small))


@pytest.mark.parametrize(
    ("shape", "size"),
    [(again_and_again, LIMIT_BYTES * 20), (misshapen, LIMIT_BYTES), (misshapen_within, LIMIT_BYTES)],
    ids=["a key, as much as is read", "items, as much as is taken", "parts of items, as much as is taken"],
)
def test_a_context_as_long_as_can_be_that_fits_nowhere_still_makes_a_document(
    shape: Callable[[int], bytes], size: int
) -> None:
    raw = shape(size * 6 // 10 * 100 // len(shape(100)))
    assert size // 2 < len(raw) <= size
    document = document_of(raw)
    assert "claims" in document
    assert len(warnings(document)) == 1
    holds(document)


def test_of_a_key_that_stands_again_and_again_the_first_values_are_kept_and_the_others_counted() -> None:
    document = document_of(again_and_again(5000))
    assert document["a"] == 4999
    names = ["a", *(f"a ({number})" for number in range(2, MOST_EARLIER + 2))]
    assert document["claims"] == dict(zip(names, [*range(MOST_EARLIER), "and 4989 more"], strict=True))
    holds(document)


def test_a_member_of_which_more_than_a_hundred_parts_are_wrong_is_kept_whole() -> None:
    few: list[Any] = ["use X", *range(100)]
    many: list[Any] = ["use X", *range(101)]
    document = document_of(json.dumps({"decisions": few, "pending_actions": many, "mine": 1}).encode())
    assert (document["decisions"], document["mine"]) == (["use X"], 1)
    assert "pending_actions" not in document
    assert document["claims"] == {**{f"/decisions/{one + 1}": one for one in range(100)}, "pending_actions": many}
    holds(document)


def test_a_sentence_about_a_document_with_ever_more_wrong_in_it_is_at_most_as_much_more_work() -> None:
    def describe(count: int) -> None:
        with pytest.raises(DocumentError):
            validate({**WHOLE_HEAD, "decisions": [{"topic": number} for number in range(count)]})

    describe(500)
    assert calls(lambda: describe(2000)) <= 5 * calls(lambda: describe(500))


INNER = b'{"context_summary": "did it", "decisions": ["use X"]}'


@pytest.mark.parametrize(
    "raw",
    [
        b"```json\n" + INNER + b"\n```\n", b"\n```\r\n" + INNER + b"\r\n```", b"````JSON \n" + INNER + b"\n````",
        b"[" + INNER + b"]", json.dumps(INNER.decode()).encode(), b"[" + json.dumps(INNER.decode()).encode() + b"]",
        b"```json\n[" + INNER + b"]\n```",
    ],
    ids=["a fence", "a fence without a name", "a longer fence", "a list", "a text", "a list of a text", "a list in a fence"],
)  # fmt: skip
def test_of_what_stands_around_one_object_the_object_is_taken_with_one_warning(raw: bytes) -> None:
    document = document_of(raw)
    assert (document["context_summary"], document["decisions"]) == ("did it", ["use X"])
    assert document["claims"] == {"context.json": raw.decode()}
    assert warnings(document) == [
        "context.json holds what does not fit a context: what stands around its object; it is kept under claims"
    ]
    holds(document)


@pytest.mark.parametrize(
    "raw",
    [
        b"I could not.\n```json\n" + INNER + b"\n```", b"```json\n" + INNER + b"\n```\nbut not really",
        b"```\n" + INNER + b"\n```\n```\n{}\n```", b"[" + INNER + b", {}]", b'{"context": ' + INNER + b"}",
        b'{"decisions": [{"decision": "use X", "rationale": "fast"}, {"title": "use X", "reason": "fast"}]}',
    ],
    ids=["prose before", "prose after", "two fences", "two objects", "a member that is one", "decisions in other words"],
)  # fmt: skip
def test_where_it_is_not_plain_which_object_is_meant_none_is_guessed(raw: bytes) -> None:
    document = document_of(raw)
    assert "context_summary" not in document
    assert document.get("decisions") in (None, [])
    holds(document)


def test_a_hand_in_becomes_the_context() -> None:
    left = {
        "summary": "Built it.",
        "decisions": [{"topic": "storage", "choice": "SQLite", "rationale": "one file"}],
        "pending_actions": [{"action": "limit", "subject": "POST /items", "status": "open"}],
        "contracts": {"provides": {"operations": [{"operation": "GET /items", "responses": {"200": True}}], "more": 1}},
        "claims": [{"check": "unit", "tests": 3, "passed": 3, "coverage": 91.5}],
        "notes": "slow at first",
        "mood": "good",
    }
    document = document_of(json.dumps(left).encode())
    holds(document)
    assert document["context_summary"] == "Built it."
    assert document["claimed_results"] == left["claims"]
    assert document["notes"] == ["slow at first"]
    assert {name: document[name] for name in ("decisions", "pending_actions", "contracts", "mood")} == {
        name: left[name] for name in ("decisions", "pending_actions", "contracts", "mood")
    }
    assert "summary" not in document
    assert "claims" not in document
    assert not warnings(document)


def test_what_of_a_hand_in_does_not_fit_is_kept_with_one_warning() -> None:
    left = {
        "summary": ["did", "it"], "claims": [{"check": "unit"}, "12 passed", 3], "contracts": {"provides": "all"},
        "notes": {"a": 1},
    }  # fmt: skip
    document = document_of(json.dumps(left).encode())
    holds(document)
    assert document["claimed_results"] == [{"check": "unit"}]
    assert document["claims"] == {"summary": ["did", "it"], "/claims/1": "12 passed", "/claims/2": 3}
    assert (document["contracts"], document["notes"]) == (left["contracts"], {"a": 1})
    (warning,) = warnings(document)
    assert all(place in warning for place in ("/summary", "/claims/1", "/claims/2"))


def test_a_summary_that_is_too_long_is_cut_and_kept_whole_beside() -> None:
    document = document_of(json.dumps({"summary": "a" * 600}).encode())
    holds(document)
    assert len(document["context_summary"]) == 500
    assert document["claims"] == {"context_summary": "a" * 600}


def test_an_agent_of_the_older_form_keeps_its_own_claims() -> None:
    left = {"context_summary": "old", "summary": "new", "claims": {"mine": 1}}
    document = document_of(json.dumps(left).encode())
    holds(document)
    assert (document["context_summary"], document["summary"], document["claims"]) == ("old", "new", {"mine": 1})
