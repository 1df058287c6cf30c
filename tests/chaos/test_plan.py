"""`plait plan` says what `plait run` then does, over every kind of edit, and an edit runs what it touches and no more."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.running import AGENT, Place, make_repository, plait, torn

Spec = dict[str, Any]
WHO = ("-c", "user.name=T", "-c", "user.email=t@example.org")


def base_spec(place: Place) -> Spec:
    """Two chains of two tracks, and one played back from a recording."""
    (place.folder / "agent.sh").write_text('echo {} > "$PLAIT_CONTEXT"\n', encoding="utf-8")
    recordings = place.folder / "recordings"
    recordings.mkdir()
    record(recordings, "as planned")
    worker = ["{python}", "-S", str(AGENT)]
    return {
        "workflow_id": "feature",
        "repository": {"path": make_repository(place.folder / "repository"), "base": "main"},
        "feature_spec": {"title": "A feature", "requirements": ["R1"]},
        "shared_constraints": ["C1"],
        "integration_requirements": ["I1"],
        "success_criteria": {"api": [wish("it answers")], "web": [wish("it shows")]},
        "agents": {
            "api": {"backend": "command", "argv": [*worker, "write=api.txt"], "env": {"LEDGER": str(place.ledger)}},
            "web": {"backend": "command", "argv": [*worker, "write=web.txt"], "env": {"LEDGER": str(place.ledger)}},
            "shell": {"backend": "command", "argv": ["sh", "{spec_dir}/agent.sh"]},
            "played": {"backend": "replay", "path": "recordings"},
        },
        "parallel_tasks": [
            {"task_id": "api", "agent": "api", "scope": "serve", "owns": ["api.txt"], "criteria": ["api"]},
            {"task_id": "web", "agent": "web", "scope": "show", "needs": ["api"], "criteria": ["web"]},
            {"task_id": "shell", "agent": "shell", "criteria": []},
            {"task_id": "after", "agent": "shell", "needs": ["shell"], "criteria": []},
            {"task_id": "played", "agent": "played", "criteria": []},
        ],
    }


def wish(text: str) -> dict[str, Any]:
    return {"text": text, "required": False}


def record(folder: Path, decision: str) -> None:
    document = {
        "version": "1.0", "workflow_id": "feature-played", "timestamp": "2026-01-01T00:00:00Z",
        "current_agent": "played", "phase": "done", "task_id": "played", "decisions": [decision],
    }  # fmt: skip
    (folder / "played.json").write_text(json.dumps(document), encoding="utf-8")


def track(spec: Spec, task_id: str) -> dict[str, Any]:
    return next(one for one in spec["parallel_tasks"] if one["task_id"] == task_id)


def change(task_id: str, **fields: Any) -> Callable[[Spec, Place], None]:
    return lambda spec, _: track(spec, task_id).update(fields)


def put(name: str, value: Any) -> Callable[[Spec, Place], None]:
    return lambda spec, _: spec.update({name: value})


def agent(name: str, **fields: Any) -> Callable[[Spec, Place], None]:
    return lambda spec, _: spec["agents"][name].update(fields)


def git(place: Place, *arguments: str) -> None:
    subprocess.run(["git", *WHO, *arguments], cwd=place.folder / "repository", check=True, capture_output=True)


def commit(place: Place, branch: str) -> None:
    git(place, "checkout", "-q", "-B", branch)
    (place.folder / "repository" / f"{branch}.md").write_text("More.\n", encoding="utf-8")
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", f"More on {branch}")


def move_main(spec: Spec, place: Place) -> None:
    commit(place, "main")


def other_base(spec: Spec, place: Place) -> None:
    commit(place, "develop")
    spec["repository"]["base"] = "develop"


def same_commit_by_another_name(spec: Spec, place: Place) -> None:
    git(place, "branch", "alias", "develop")
    spec["repository"]["base"] = "alias"


def move_repository(spec: Spec, place: Place) -> None:
    shutil.move(place.folder / "repository", place.folder / "moved")
    (place.folder / "repository").symlink_to("moved")
    spec["repository"]["path"] = str(place.folder / "moved")


def new_program(spec: Spec, place: Place) -> None:
    (place.folder / "agent.sh").write_text('echo \'{"decisions": ["anew"]}\' > "$PLAIT_CONTEXT"\n', encoding="utf-8")


def same_program_differently_put(spec: Spec, place: Place) -> None:
    (place.folder / "agent.sh").write_text('printf \'{"decisions":["anew"]}\' > "$PLAIT_CONTEXT"\n', encoding="utf-8")


def another_recording(spec: Spec, place: Place) -> None:
    record(place.folder / "recordings", "otherwise")


def one_track_more(spec: Spec, place: Place) -> None:
    spec["parallel_tasks"].append({"task_id": "new", "agent": "shell", "needs": ["after"], "criteria": []})


def one_track_less(spec: Spec, place: Place) -> None:
    spec["parallel_tasks"] = [one for one in spec["parallel_tasks"] if one["task_id"] != "new"]


COMMANDS = {"api", "web", "shell", "after"}
ALL = COMMANDS | {"played"}
EDITS: list[tuple[str, Callable[[Spec, Place], None], set[str]]] = [
    # What it is called, what it does, and which tracks run for it; all others are reused.
    ("nothing", put("x-note", "nothing"), set()),
    ("scope", change("web", scope="show it well"), {"web"}),
    ("scope of a prerequisite whose result stays", change("api", scope="serve it well"), {"api"}),
    ("criteria of one area", put("success_criteria", {"api": [wish("it answers")], "web": [wish("it shines")]}), {"web"}),
    ("owns", change("api", owns=["api.txt", "more.txt"]), {"api"}),
    ("a requirement", put("feature_spec", {"title": "A feature", "requirements": ["R1", "R2"]}), ALL),
    ("a constraint", put("shared_constraints", ["C1", "C2"]), ALL),
    ("an integration requirement", put("integration_requirements", ["I2"]), ALL),
    ("argv", agent("web", argv=["{python}", "-S", str(AGENT), "write=web.txt", "say=hello"]), {"web"}),
    ("argv, and the result differs", agent("api", argv=["{python}", "-S", str(AGENT), "write=a.txt"]), {"api", "web"}),
    ("a retryable exit code", agent("api", retryable_exit_codes=[75, 76]), set()),
    ("a program's content", new_program, {"shell", "after"}),
    ("a program's content, and not its result", same_program_differently_put, {"shell", "after"}),
    ("a recording", another_recording, {"played"}),
    ("needs", change("after", needs=["shell", "api"]), {"after"}),
    ("the base branch moved on", move_main, set()),
    ("another base", other_base, COMMANDS),
    ("the same base by another name", same_commit_by_another_name, set()),
    ("the repository moved", move_repository, set()),
    ("setup", lambda spec, _: spec["repository"].update(setup=[["true"]]), ALL),
    ("one track more", one_track_more, {"new"}),
    ("one track less", one_track_less, set()),
    ("deadline, retries, estimate, labels", change(
        "api", timeout_minutes=7, retries=2, estimate_minutes=3, metadata={"tags": ["x"]}, required=False,
        checkpoint_minutes=5, ports=1,
    ), set()),
    ("budget, policy, width, checks", lambda spec, _: spec.update(
        budget={"cost_usd": 100}, policy={"on_failure": "all", "store_patience_minutes": 1}, max_parallel=2, metadata={"owner": "Ann"},
        verification={"checks": [{"id": "unit", "argv": ["true"]}]},
    ), set()),
]  # fmt: skip


def planned(place: Place, *options: str) -> dict[str, dict[str, Any]]:
    ended = plait(place, "plan", place.spec, *options, "--json")
    assert ended.code == 0, ended.err
    return {one["task_id"]: one for one in json.loads(ended.out)["reuse"]}


def ran(place: Place, *options: str) -> set[str]:
    ended = plait(place, "run", place.spec, *options, "--json")
    assert ended.code == 0, ended.err
    return {one["task_id"] for one in ended.report["tracks"] if not one["reused"]}


def results(place: Place) -> dict[str, str]:
    names = [name for name in place.store.revisions("feature") if name.startswith("tracks/")]
    return {name[7:]: place.store.require("feature", name)[1]["execution"]["result"] for name in names}


def run_as_planned(place: Place, what: str, spec: Spec, *options: str) -> set[str]:
    """Plan, run, and compare; return what ran."""
    place.spec.write_text(json.dumps(spec), encoding="utf-8")
    plan, before = planned(place, *options), results(place)
    done = ran(place, *options)
    after = results(place)
    for task_id, one in plan.items():
        assert one["reason"], what
        if not one["conditional"]:
            assert (one["action"] == "run") == (task_id in done), f"{what}: {one}"
            continue
        needs = track(spec, task_id)["needs"]
        differ = any(before.get(need) != after[need] for need in needs)
        assert (task_id in done) == differ, f"{what}: {one}"
    return done


@pytest.mark.timeout(1800)
def test_run_does_what_plan_said_over_every_kind_of_edit(place: Place) -> None:
    spec = base_spec(place)
    everything = {one["task_id"] for one in spec["parallel_tasks"]}
    assert run_as_planned(place, "the first run", spec) == everything
    for what, edit, expected in EDITS:
        spec = copy.deepcopy(spec)
        edit(spec, place)
        assert run_as_planned(place, what, spec) == expected, what
    assert run_as_planned(place, "asked for", spec, "--rerun", "web") == {"web"}
    assert run_as_planned(place, "all anew", spec, "--fresh") == everything
    # The same folder elsewhere: absolute paths are no inputs.
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("agent.sh", "recordings"):
        shutil.move(place.folder / name, elsewhere / name)
    moved = Place(place.folder, place.server, workflow_id="elsewhere/feature")
    (elsewhere / "feature.json").write_text(json.dumps(spec), encoding="utf-8")
    assert {one["action"] for one in planned(moved).values()} == {"reuse"}
    assert ran(moved) == set()
    assert torn(place.store) == []
