"""Tracks, workflows and groups as hypothesis makes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

IDS = ("api", "web", "e2e", "db", "docs")
# Few words, some the same after NFC and trimming, so that duplicates and contradictions happen.
PHRASES = ("Run the migration", " Run the migration ", "Caf\u00e9", "Cafe\u0301", "Seed", "seed", "x\u2028", "#/~1", "")
PATHS = ("src/a.py", "src/b.py", "caf\u00e9.md", "cafe\u0301.md", "a b/#c~d.txt")

phrases = st.sampled_from(PHRASES)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | phrases,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(phrases, inner, max_size=2),
    max_leaves=4,
)
decisions = phrases | st.fixed_dictionaries(
    {"topic": phrases, "choice": phrases}, optional={"rationale": phrases, "weight": st.integers(0, 9)}
)
actions = phrases | st.fixed_dictionaries(
    {"action": phrases}, optional={"subject": phrases, "status": st.sampled_from(["open", "done"]), "due": phrases}
)
errors = st.fixed_dictionaries({"error": phrases}, optional={"agent": phrases, "resolved": st.booleans()})


def tracks(task_id: str) -> st.SearchStrategy[dict[str, Any]]:
    """Documents of one track, unknown fields among them."""
    return st.fixed_dictionaries(
        {
            "version": st.just("1.0"),
            "workflow_id": st.just(f"feature-{task_id}"),
            "parent_workflow_id": st.just("feature"),
            "task_id": st.just(task_id),
            "timestamp": st.just("2026-01-15T10:05:00Z"),
            "current_agent": st.just("developer"),
            "phase": st.just("done"),
        },
        optional={
            "files_modified": st.lists(st.sampled_from(PATHS), max_size=3),
            "decisions": st.lists(decisions, max_size=3) | st.none(),
            "pending_actions": st.lists(actions, max_size=4),
            "error_log": st.lists(errors, max_size=2),
            "status": st.sampled_from(["completed", "failed"]),
            "implementation_details": st.dictionaries(phrases, plain, max_size=2),
            "started_at": st.sampled_from(["2026-01-15T09:05:00Z", "2026-01-15T11:05:00+02:00"]),
            "nobody-knows": plain,
            "": plain,
        },
    )


contributed = st.lists(st.sampled_from(IDS), unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: tracks(name) for name in names})
)
orders = st.lists(st.sampled_from(IDS), unique=True)


def parent(order: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Return a workflow's document with those tracks."""
    return {
        "version": "1.0",
        "workflow_id": "feature",
        "timestamp": "2026-01-15T09:00:00Z",
        "current_agent": "orchestrator",
        "next_agent": None,
        "phase": "parallel-execution",
        "feature_spec": {"name": "Feature", "requirements": ["Works"]},
        "parallel_tasks": [{"task_id": name, "agent": "developer", "x": [1]} for name in order],
        "shared_constraints": ["Use the existing login"],
        "integration_requirements": ["All tests pass"],
        "success_criteria": {"all": ["All tests pass"]},
        "unheard-of": {"deep": [1, 2.5, None]},
    }
