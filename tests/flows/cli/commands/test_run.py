"""What `run` and `resume` ask for and say; the road itself is tested with the flows."""

import io
import os
import signal
from pathlib import Path

import pytest
from rich.console import Console

from contexts.documents.refs import ContextRef
from contexts.errors import LeaseHeld
from contexts.spec.load import load_spec
from flows import launch
from flows.cli.terminal.summary import print_summary
from flows.launch import RunReport, TrackLine
from tasks.run.progress import Progress, report
from tests.flows.cli.documents import head


def ended(exit_code=0, status="verified", **fields):
    track = {"task_id": "english", "status": "completed", "reused": True, "attempts": 1, "seconds": 61.0}
    ref = ContextRef(workflow_id="hello", document="context", revision=3, sha256="a" * 64, size=10)
    values = {"report": None, "result": None, "reasons": (), "branch": None, "workspace_root": "/kept/here", **fields}
    return RunReport(
        workflow_id="hello",
        status=status,
        exit_code=exit_code,
        tracks=(
            TrackLine(**track),
            TrackLine(**{**track, "task_id": "french", "reused": False, "reason": values.pop("reason", None)}),
        ),
        context=ref,
        **values,
    )


@pytest.fixture
def spec(call, tmp_path):
    call("init", "minimal", tmp_path)
    return tmp_path / "plait.yaml"


@pytest.fixture
def launched(monkeypatch):
    """Stand in for the flow: note what was asked for, report progress, end as told."""
    asked = []

    def end(result):
        def run(request):
            asked.append(request)
            report(Progress("hello", "phase", "initialize", "done"))
            report(Progress("hello", "track", "english", "running"))
            if isinstance(result, BaseException):
                raise result
            return result() if callable(result) else result

        monkeypatch.setattr(launch, "launch", run)
        monkeypatch.setattr("flows.cli.watched_run._start_server", lambda: None)
        return asked

    return end


@pytest.mark.parametrize("code", [0, 1, 3, 4, 5])
def test_the_exit_code_is_the_runs(call, spec, launched, code):
    launched(ended(code))
    assert call("run", spec).code == code


def test_json_is_all_there_is_on_stdout(call, spec, launched):
    launched(ended())
    result = call("run", spec, "--json")
    assert result.json() == ended().to_json()
    assert len(result.out.splitlines()) == 1
    assert result.err == ""


def test_the_summary_says_how_every_track_ended_and_where_to_look(call, spec, launched, tmp_path):
    launched(
        ended(
            3,
            "partial",
            reason="no context.json was left",
            reasons=("required track french failed",),
            branch="plait/hello",
            checks=(("passed", 2), ("unverified", 1)),
        )
    )
    out = call("run", spec, "--store", tmp_path / "store").out
    for said in (
        "english", "reused", "1 m 01 s", "no context.json was left", "required track french failed", "plait/hello",
        f"plait show hello --store {tmp_path / 'store'}", "/kept/here", "partial", "track english: running",
        "checks: 2 passed, 1 unverified",
    ):  # fmt: skip
        assert said in out


@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_the_end_breaks_between_words_and_leaves_addresses_whole(width):
    out = io.StringIO()
    reason = "evidence/check-changed: track french changed tests/test_it.py, which the check unit runs; " * 2
    address = "http://127.0.0.1:4200/runs/flow-run/0199f3a2-aaaa-7bbb-8ccc-0123456789ab"
    report = ended(
        1, "verification-failed", reasons=(reason,), report="/home/somebody/" + "deep/" * 14 + "report.html",
        address=address, concerns=1, blocking=("0123456789ab", "ba9876543210"),
    )  # fmt: skip
    print_summary(Console(file=out, width=width, force_terminal=True, color_system=None), report, store_url=None)
    lines = out.getvalue().splitlines()
    whole = (report.report, address)
    assert all(len(line) <= width for line in lines if line not in whole)
    words = {word for line in lines for word in line.split()}
    assert {"evidence/check-changed:", "tests/test_it.py,", *whole} <= words
    said = " ".join(out.getvalue().split())
    assert "to waive plait edit hello waive 0123456789ab --by NAME --why TEXT open" in said
    assert "open 2 blocking findings, 1 concern: plait edit hello list" in said


def test_away_from_a_terminal_every_reason_is_one_line(call, spec, launched):
    reason = "criterion fast is unmet: " + "it took too long, " * 30
    launched(ended(1, "verification-failed", reasons=(reason,), concerns=2))
    out = call("run", spec).out
    assert f"  {reason.rstrip()}" in [line.rstrip() for line in out.splitlines()]
    assert "  open       2 concerns: plait edit hello list" in out
    assert "to waive" not in out


def test_the_summary_names_the_folder_of_the_files_where_no_branch_was_made(call, spec, launched):
    launched(ended(result="/made/here"))
    assert "files      /made/here" in call("run", spec).out


def test_a_thousand_tracks_are_summed_up_with_the_failed_ones_shown(call, spec, launched):
    lines = [
        TrackLine(task_id=f"t{number}", status="completed", reused=False, attempts=1, seconds=1)
        for number in range(1000)
    ]
    lines[777] = TrackLine(task_id="t777", status="failed", reused=False, attempts=2, seconds=1)
    launched(ended(3, "partial").model_copy(update={"tracks": tuple(lines)}))
    out = call("run", spec).out
    assert "t777" in out
    assert "and 940 more" in out


def test_what_is_asked_for_reaches_the_flow(call, spec, launched, tmp_path, monkeypatch):
    asked = launched(ended())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recorded").mkdir()
    call(
        "run", "plait.yaml", "--replay", "recorded", "--fresh", "--rerun", "english", "--rerun", "french", "--repository",
        "git@host:x", "--store", "s",
    )  # fmt: skip
    request = asked[0]
    assert request.spec == str(spec)
    assert request.replay == str(tmp_path / "recorded")
    assert (request.fresh, request.rerun, request.repository, request.store) == (
        True,
        ("english", "french"),
        "git@host:x",
        "s",
    )


def test_resume_needs_only_the_store(call, spec, contexts, launched):
    value = load_spec(spec).raw
    for agent in value["agents"].values():
        agent["argv"] = ["true"]  # nothing below the spec's folder
    stored = contexts.put_json("hello", value).model_dump()
    contexts.save(head("hello", spec=stored), workflow_id="hello", name="context", after=0)
    spec.unlink()
    asked = launched(ended())
    assert call("resume", "hello").code == 0
    assert (asked[0].spec, asked[0].workflow_id, asked[0].spec_dir) == (None, "hello", None)


def test_resume_says_which_program_is_not_at_hand_and_takes_the_folder_that_has_it(
    call, spec, contexts, launched, tmp_path, monkeypatch
):
    value = load_spec(spec).raw
    for agent in value["agents"].values():
        agent["argv"] = ["{python}", "{spec_dir}/agent.py"]
    stored = contexts.put_json("hello", value).model_dump()
    contexts.save(head("hello", spec=stored), workflow_id="hello", name="context", after=0)
    for name in ("home", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text("pass", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    asked = launched(ended())
    refused = call("resume", "hello")
    assert (refused.code, asked) == (2, [])
    assert "{spec_dir}/agent.py is not at hand here" in refused.err
    assert "--spec-dir FOLDER" in refused.err
    assert call("resume", "hello", "--spec-dir", "../home").code == 0
    assert Path(asked[0].spec_dir).resolve() == tmp_path / "home"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("parallel_tasks", "paralel_tasks"), "parallel_tasks"),
        (("workflow_id: hello", "workflow_id: [hello"), "line"),
        (("task_id: french", "task_id: english"), "english"),
    ],
)
def test_a_bad_spec_is_bad_input_before_anything_starts(call, spec, launched, tmp_path, change, said):
    asked = launched(ended())
    spec.write_text(spec.read_text().replace(*change))
    for command in ("run", "plan"):
        result = call(command, spec)
        assert result.code == 2
        assert said in result.err
        assert result.out == ""
    assert asked == []
    assert not (tmp_path / "store").exists()


def test_a_track_to_rerun_must_exist(call, spec, launched):
    asked = launched(ended())
    result = call("run", spec, "--rerun", "englsh")
    assert result.code == 2
    assert "did you mean english?" in result.err
    assert asked == []


def test_a_run_that_is_going_on_elsewhere_is_bad_input(call, spec, launched):
    launched(LeaseHeld("hello is being run by another process; wait for it"))
    assert call("run", spec).code == 2


@pytest.mark.parametrize(
    "message",
    ["Timed out while attempting to connect to ephemeral Prefect API server", "Failed to reach API at http://x"],
)
def test_a_server_that_cannot_be_reached_is_exit_code_6(call, spec, launched, message):
    launched(RuntimeError(message))
    result = call("run", spec)
    assert result.code == 6
    assert "PREFECT_API_URL" in result.err


def test_an_interrupt_is_said_twice_in_words_and_names_how_to_go_on(call, spec, launched):
    launched(lambda: os.kill(os.getpid(), signal.SIGINT))
    result = call("run", spec)
    assert result.code == 130
    assert "stopping" in result.err
    assert "plait resume hello" in result.err
    assert "Traceback" not in result.err


def test_plan_says_which_tracks_would_run_and_why(call, spec):
    plan = call("plan", spec, "--json").json()
    assert plan["order"] == ["english", "french"]
    assert [one["action"] for one in plan["reuse"]] == ["run", "run"]
    assert all(one["reason"] for one in plan["reuse"])
    shown = call("plan", spec).out
    assert "english" in shown
    assert "side by side" in shown
    assert "no track has estimate_minutes: in the estimate each counts 1" in shown
    text = spec.read_text()
    spec.write_text(text.replace("task_id: english", "task_id: english\n    estimate_minutes: 5", 1))
    assert text != spec.read_text()
    assert "no track has" not in call("plan", spec).out


def test_plan_takes_a_spec_whose_agents_are_not_declared(call, documents):
    assert call("plan", documents.parent).code == 0
