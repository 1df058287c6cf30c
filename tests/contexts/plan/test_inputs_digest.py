from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from contexts.errors import InputError
from contexts.plan.inputs_digest import (
    COMMAND_IN,
    COMMAND_OUT,
    REPLAY_IN,
    RESULT_OUT,
    SPEC_IN,
    SPEC_OUT,
    TRACK_IN,
    TRACK_OUT,
    agent_inputs,
    criteria_of,
    recording_inputs,
    result_digest,
    track_inputs,
)
from contexts.spec.model import Spec, Track
from contexts.spec.policy import CommandAgent, ReplayAgent

TRACK: dict[str, Any] = {"task_id": "api", "agent": "developer", "scope": "Build it", "needs": ["db"]}
SPEC: dict[str, Any] = {
    "workflow_id": "feature",
    "feature_spec": {"name": "Feature", "requirements": ["Works"]},
    "parallel_tasks": [{"task_id": "db", "agent": "developer"}, TRACK],
    "success_criteria": {"api": ["All tests pass"], "web": ["Fast"]},
    "agents": {"developer": {"backend": "command", "argv": ["agent"]}},
    "repository": {"path": ".", "setup": [["make"]]},
}

TRACK_CHANGES: dict[str, Any] = {
    "task_id": "backend", "agent": "tester", "scope": "Build it well", "owns": ["src/**"], "migrations": ["002"],
    "criteria": ["web"], "needs": [],
    "required": False, "retries": 3, "timeout_minutes": 5, "estimate_minutes": 7, "checkpoint_minutes": 9, "ports": 2,
    "metadata": {"priority": "high"}, "context_ref": "x.json", "status": "pending",
    "started_at": "2026-01-15T09:05:00Z", "contracts": {"provides": [{"path": "openapi.yaml"}]},
}  # fmt: skip
SPEC_CHANGES: dict[str, Any] = {
    "feature_spec": {"name": "Feature", "requirements": ["Works well"]},
    "shared_constraints": ["No new services"],
    "integration_requirements": ["All tests pass"],
    "success_criteria": {"api": ["All tests pass", "Fast"], "web": ["Fast"]},
    "agents": {"developer": {"backend": "command", "argv": ["agent", "--careful"]}},
    "repository": {"path": ".", "setup": [["make", "setup"]]},
    "workflow_id": "feature-2", "version": "1.1", "timestamp": "2026-01-15T09:05:00Z", "current_agent": "somebody",
    "next_agent": "nobody", "phase": "planning", "context_summary": "Begun.", "metadata": {"owner": "team"},
    "groups": [{"id": "early", "tracks": ["db"]}],
    "verification": {"checks": [{"id": "unit", "argv": ["pytest"]}]},
    "deployment": {"staging": {"argv": ["deploy"]}}, "budget": {"tokens": 5}, "policy": {"quorum": 1},
    "max_parallel": 2, "secrets": "refuse", "audit": {"prose": "off"},
    "constraints": [{"topic": "auth", "forbid": ["basic"]}],
    "parallel_tasks": [{"task_id": "db", "agent": "developer"}, TRACK, {"task_id": "docs", "agent": "writer"}],
}  # fmt: skip


def digest(spec: dict[str, Any], task_id: str = "api", results: dict[str, str] | None = None) -> str:
    made = Spec.model_validate_json(json.dumps(spec))
    track = made.track(task_id)
    needed = {name: "result-of-" + name for name in track.needs} if results is None else results
    agent = made.agents.get(track.agent)
    inputs = agent_inputs(agent, folder=Path("/project")) if isinstance(agent, CommandAgent) else {}
    return track_inputs(made, track, base="b" * 40, prerequisites=needed, agent=inputs).digest


def changed_track(field: str) -> dict[str, Any]:
    return {**SPEC, "parallel_tasks": [SPEC["parallel_tasks"][0], {**TRACK, field: TRACK_CHANGES[field]}]}


@pytest.mark.parametrize(
    ("model", "inside", "outside"),
    [
        (Track, TRACK_IN, TRACK_OUT),
        (Spec, SPEC_IN, SPEC_OUT),
        (CommandAgent, COMMAND_IN, COMMAND_OUT),
        (ReplayAgent, REPLAY_IN, frozenset[str]()),
    ],
)
def test_every_field_is_consciously_in_the_digest_or_out_of_it(
    model: type[BaseModel], inside: frozenset[str], outside: frozenset[str]
) -> None:
    fields = set(model.model_fields)
    assert not inside & outside
    assert fields - inside - outside == set(), (
        "say in contexts/plan/inputs_digest.py whether these decide a track's result"
    )
    assert inside | outside == fields, "these fields are gone"


def test_every_field_has_a_change_to_try() -> None:
    assert TRACK_CHANGES.keys() == TRACK_IN | TRACK_OUT
    assert SPEC_CHANGES.keys() == SPEC_IN | SPEC_OUT


@pytest.mark.parametrize("field", sorted(TRACK_IN))
def test_a_field_of_the_track_that_counts_changes_the_digest(field: str) -> None:
    task_id = "backend" if field == "task_id" else "api"
    assert digest(changed_track(field), task_id) != digest(SPEC)


@pytest.mark.parametrize("field", sorted(TRACK_OUT))
def test_a_field_of_the_track_that_does_not_count_changes_nothing(field: str) -> None:
    assert digest(changed_track(field)) == digest(SPEC)


@pytest.mark.parametrize("field", sorted(SPEC_IN))
def test_a_field_of_the_spec_that_counts_changes_the_digest(field: str) -> None:
    assert digest({**SPEC, field: SPEC_CHANGES[field]}) != digest(SPEC)


@pytest.mark.parametrize("field", sorted(SPEC_OUT))
def test_a_field_of_the_spec_that_does_not_count_changes_nothing(field: str) -> None:
    assert digest({**SPEC, field: SPEC_CHANGES[field]}) == digest(SPEC)


def test_the_prerequisites_results_and_the_base_count() -> None:
    assert digest(SPEC, results={"db": "one"}) != digest(SPEC, results={"db": "two"})
    made = Spec.model_validate_json(json.dumps(SPEC))
    results = {
        track_inputs(made, made.track("api"), base=base, prerequisites={}, agent={}).digest for base in ("a", "b", None)
    }
    assert len(results) == 3


def test_criteria_of_another_area_do_not_reach_a_track() -> None:
    assert digest({**SPEC, "success_criteria": {**SPEC["success_criteria"], "web": ["Slow"]}}) == digest(SPEC)


def test_a_track_without_an_area_of_its_own_has_all_criteria() -> None:
    made = Spec.model_validate_json(json.dumps(SPEC))
    assert criteria_of(made, made.track("db")) == {"api": ["All tests pass"], "web": ["Fast"]}
    assert criteria_of(made, made.track("api")) == {"api": ["All tests pass"]}


def command(*argv: str, **fields: Any) -> CommandAgent:
    return CommandAgent(backend="command", argv=argv, **fields)


def test_absolute_paths_do_not_count_but_a_programs_content_does(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "agent.py").write_text("print('same')")
    for form in ("{}/agent.py", "--program={}/agent.py", "{}/missing.py", "--out={}/missing"):
        one = agent_inputs(command("{python}", form.format(here)), folder=tmp_path)
        assert agent_inputs(command("{python}", form.format(there)), folder=Path("/elsewhere")) == one
    for form in (
        "{spec_dir}/agent.py",
        "--program={spec_dir}/agent.py",
        f"{here}/agent.py",
        f"--program={here}/agent.py",
    ):
        (here / "agent.py").write_text("print('same')")
        before = agent_inputs(command("{python}", form), folder=here)
        (here / "agent.py").write_text("print('changed')")
        assert agent_inputs(command("{python}", form), folder=here) != before
        assert str(tmp_path) not in str(before)


def test_the_same_program_beside_the_spec_counts_alike_wherever_the_spec_lies(tmp_path: Path) -> None:
    made: list[Any] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "agent.py").write_text("print('same')")
        made.append(agent_inputs(command("{python}", "{spec_dir}/agent.py", "--fast"), folder=folder))
    assert made[0] == made[1]


def test_arguments_and_environment_count_but_what_may_be_retried_does_not(tmp_path: Path) -> None:
    base = agent_inputs(command("agent", env={"A": "1", "B": "env:B"}), folder=tmp_path)
    assert agent_inputs(command("agent", env={"B": "env:B", "A": "1"}), folder=tmp_path) == base
    assert agent_inputs(command("agent", env={"A": "2", "B": "env:B"}), folder=tmp_path) != base
    assert agent_inputs(command("agent", "-x", env={"A": "1", "B": "env:B"}), folder=tmp_path) != base
    again = command("agent", env={"A": "1", "B": "env:B"}, retryable_exit_codes=(9,))
    assert agent_inputs(again, folder=tmp_path) == base


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_program_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(InputError, match="cannot read"):
        agent_inputs(command(str(path)), folder=tmp_path)


def test_a_recordings_content_counts_and_is_no_agents(tmp_path: Path) -> None:
    one = recording_inputs(b"{}")
    assert recording_inputs(b"{}") == one
    assert recording_inputs(b"{ }") != one
    assert agent_inputs(command("agent"), folder=tmp_path) != one


RESULT: dict[str, Any] = {
    "task_id": "api",
    "decisions": ["Use REST"],
    "unknown": 1,
    "error_log": [{"error": "flaky", "timestamp": "2026-01-15T09:05:00Z"}],
}


@pytest.mark.parametrize("field", sorted(RESULT_OUT))
def test_times_usage_and_records_are_no_part_of_a_result(field: str) -> None:
    assert result_digest({**RESULT, field: "changed"}, "tree") == result_digest(RESULT, "tree")


def test_when_an_error_was_met_is_no_part_of_a_result_but_the_error_is() -> None:
    later = {**RESULT, "error_log": [{"error": "flaky", "timestamp": "2027-01-15T09:05:00Z"}]}
    assert result_digest(later, "tree") == result_digest(RESULT, "tree")
    other = {**RESULT, "error_log": [{"error": "broken", "timestamp": "2026-01-15T09:05:00Z"}]}
    assert result_digest(other, "tree") != result_digest(RESULT, "tree")


def test_content_tree_and_unknown_fields_are_part_of_a_result() -> None:
    base = result_digest(RESULT, "tree")
    assert result_digest(RESULT, "another") != base
    assert result_digest(RESULT, None) != base
    assert result_digest({**RESULT, "decisions": []}, "tree") != base
    assert result_digest({**RESULT, "unknown": 2}, "tree") != base
    assert result_digest(dict(reversed(RESULT.items())), "tree") == base
