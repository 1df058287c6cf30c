"""The wrappers of `plait init clients` with a scripted client: what they make of every way a client may end."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from contexts.documents.assignment import Assignment
from contexts.spec.policy import CommandAgent
from tasks.agents.backend import Delivery, Job
from tasks.agents.command import CommandBackend
from tasks.run import budget as spending
from tasks.track.checkpoints import read_checkpoint
from tests.servers import ROOT

pytestmark = pytest.mark.usefixtures("outside")

TEMPLATE = ROOT / "flows" / "cli" / "templates" / "clients"
CLIENT = """#!{python}
import json, os, signal, subprocess, sys, time
def say(**event): print(json.dumps(event), flush=True)
def result(cost=0.5, **more):
    say(**{{"type": "result", "subtype": "success", "is_error": False, "result": "done", "total_cost_usd": cost,
           "usage": {{"input_tokens": 100, "output_tokens": 20}}, "permission_denials": [], **more}})
def message(text): say(type="item.completed", item={{"type": "agent_message", "text": text}})
ANSWER = {{"summary": "did it", "decisions": [], "pending_actions": []}}
OTHER = {{**ANSWER, "summary": "did more"}}
DENIED = [{{"tool_name": "Bash"}}]
def work(): open("made.md", "w").write("work")
{script}
"""
RESETS = 'say(type="rate_limit_event", rate_limit_info={"status": "rejected", "resetsAt": 1790000000})\n'
SPENDING = 'say(type="assistant", message={"id": "m", "usage": {"input_tokens": 7, "output_tokens": 2}})\n'


class Tried:
    """A wrapper run in the sandbox, with a client that does what a script says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.exchange = folder / "exchange"
        self.cancel = threading.Event()

    def run(self, client: str, script: str, on_line: Any = lambda _: None) -> Delivery:
        binaries, workspace = self.folder / "bin", self.folder / "work"
        for made in (binaries, workspace, self.exchange):
            made.mkdir()
        program = binaries / {"claude_code": "claude", "codex": "codex"}[client]
        program.write_text(CLIENT.format(python=sys.executable, script=script))
        program.chmod(0o755)
        self.monkeypatch.setenv("PATH", f"{binaries}:{os.environ['PATH']}")
        subprocess.run(["git", "init", "--quiet", workspace], check=True)
        (workspace / "before.md").write_text("there before the client was")
        assignment = Assignment(
            workflow_id="w", task_id="t", agent="client", attempt=1, scope="do", feature={}, requirements=[],
            constraints=[], integration_requirements=[], criteria={}, owns=[], prerequisites={}, contracts={},
            last_failure=None, checkpoint=None, ports=[],
        )  # fmt: skip
        agent = CommandAgent(backend="command", argv=("{python}", f"{{spec_dir}}/agents/{client}.py"))
        job = Job(assignment, workspace, self.exchange, self.folder / "log", 100, self.cancel, on_line)
        return CommandBackend(agent, TEMPLATE).run(job)

    @property
    def spent(self) -> tuple[float, int]:
        """What plait counts of a failed attempt."""
        spent = spending.reported((read_checkpoint(self.exchange / "context.json") or {}).get("usage"))
        return float(spent.cost_usd), spent.tokens


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: None) -> Tried:
    return Tried(tmp_path, monkeypatch)


TAKEN = [
    ("claude_code", "work(); result(structured_output=ANSWER)", "did it", 0.5),
    ("claude_code", "result(structured_output=ANSWER); time.sleep(3600)", "did it", 0.5),
    ("claude_code", 'subprocess.Popen(["sleep", "3600"]); result(structured_output=ANSWER)', "did it", 0.5),
    ("claude_code", "result(structured_output=ANSWER); result(0.6, structured_output=None, result='')", "did it", 0.6),
    ("claude_code", "result(structured_output=ANSWER); result(0.7, structured_output=OTHER)", "did more", 0.7),
    ("claude_code", "result(structured_output=ANSWER); result(0.7, is_error=True, result='You have hit your limit'); sys.exit(1)", "did it", 0.7),
    ("claude_code", 'result(result="```json\\n" + json.dumps(ANSWER) + "\\n```")', "did it", 0.5),
    ("codex", ('message("thinking"); message(json.dumps(ANSWER)); message("bye")\n'
     'say(type="turn.completed", usage={"input_tokens": 100, "output_tokens": 20}); time.sleep(3600)'), "did it", None),
    ("claude_code", ("result(structured_output=ANSWER)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
     "while True: say(type='system'); time.sleep(0.05)"), "did it", 0.5),
    ("claude_code", ("print('[' * 100_000, flush=True); print('{\"n\":' + '9' * 5000 + '}', flush=True)\n"
     "say(type='assistant', message='x'); say(type='assistant', message={'id': [], 'usage': 'x'})\n"
     "say(type='rate_limit_event', rate_limit_info='x'); say(type=[]); say(type='result', usage='x', is_error=True)\n"
     "work(); result('0.5', structured_output={**ANSWER, 'usage': 'x'}, permission_denials='x',\n"
     "  usage={'input_tokens': '100', 'output_tokens': [], 'cache_read_input_tokens': 1e400})"), "did it", 0.5),
    ("codex", ("print('[' * 100_000, flush=True); say(type='error', error='x'); say(type='item.completed', item='x')\n"
     "message(json.dumps(ANSWER))\n"
     "say(type='turn.completed', usage={'input_tokens': '100', 'output_tokens': {}})"), "did it", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("client", "script", "summary", "cost"), TAKEN,
    ids=["ends", "lingers", "leaves a child", "says an empty end", "says two", "is limited after it", "says it as text", "codex",
         "goes on talking", "odd events", "codex odd events"],
)  # fmt: skip
def test_the_last_answer_that_is_one_becomes_the_context_however_the_client_ends(
    tried: Tried, client: str, script: str, summary: str, cost: float | None
) -> None:
    delivery = tried.run(client, script)
    assert delivery.context, delivery.reason
    assert delivery.context["summary"] == summary
    assert (delivery.context["usage"].get("cost_usd"), delivery.context["usage"]["input_tokens"]) == (cost, 100)
    assert "error_log" not in delivery.context


FAILED = [
    ("claude_code", f'{RESETS}result(0, is_error=True, result="You have hit your limit", usage={{}}); sys.exit(1)', True,
     ["usage limit", "resets at 2026-09-21"], (0, 0)),
    ("claude_code", 'result(2.04, is_error=True, subtype="error_max_budget_usd", result=None); sys.exit(1)', False,
     ["error_max_budget_usd"], (2.04, 120)),
    ("claude_code", 'result(1.2, is_error=True, subtype="error_max_turns", result=None); sys.exit(1)', False,
     ["error_max_turns"], (1.2, 120)),
    ("claude_code", "result(is_error=True, api_error_status=529, result='Overloaded'); sys.exit(1)", True,
     ["Overloaded"], (0.5, 120)),
    ("claude_code", f"{SPENDING}sys.exit(3)", False, ["exit code 3 and no result"], (0, 9)),
    ("claude_code", "result(result='I did it all.')", False, ["without the object", "I did it all."], (0.5, 120)),
    ("claude_code", "result(structured_output=ANSWER, permission_denials=DENIED)", False,
     ["denied Bash; allow it with --allowedTools (it changed nothing)"], (0.5, 120)),
    ("claude_code", "result(structured_output={**ANSWER, 'summary': None})", False,
     ["without the object"], (0.5, 120)),
    ("claude_code", "result(structured_output={**ANSWER, 'summary': ' '})", False,
     ["without the object"], (0.5, 120)),
    ("claude_code", "result(structured_output={**ANSWER, 'decisions': None})", False, ["without the object"], (0.5, 120)),
    ("claude_code", "result(result='I could do nothing. Done, it would be\\n```json\\n' + json.dumps(ANSWER) + '\\n```')", False,
     ["without the object"], (0.5, 120)),
    ("claude_code", "result(structured_output=ANSWER); result(0.7, is_error=True, result='Tests are red')", False,
     ["Tests are red"], (0.7, 120)),
    ("claude_code", "result(structured_output=ANSWER, permission_denials=['Bash'])", False,
     ["denied Bash; allow it with --allowedTools (it changed nothing)"], (0.5, 120)),
    ("codex", "message(json.dumps(ANSWER))", False, ["codex ended before its turn was completed"], (0, 0)),
    ("codex", "message(json.dumps(ANSWER)); say(type='turn.failed', error='gone')", False, ["codex: gone"], (0, 0)),
    ("codex", ('say(type="turn.completed", usage={"input_tokens": 5, "output_tokens": 4})\n'
     'say(type="turn.failed", error={"message": "You have hit your usage limit; try again at 3:05 PM."}); sys.exit(1)'),
     True, ["usage limit; try again at 3:05 PM"], (0, 9)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("client", "script", "retryable", "said", "spent"), FAILED,
    ids=["limit", "budget", "turns", "overloaded", "dies", "no object", "all denied",
         "no summary", "an empty summary", "null for a list", "a fence in prose", "an error in the end", "denied in words",
         "codex without its turn", "codex error as text", "codex limit"],
)  # fmt: skip
def test_a_failure_says_why_whether_it_can_pass_and_what_it_cost(
    tried: Tried, client: str, script: str, retryable: bool, said: list[str], spent: tuple[float, int]
) -> None:
    delivery = tried.run(client, script)
    assert (delivery.context, delivery.retryable) == (None, retryable), delivery.reason
    for words in said:
        assert words in delivery.reason
    assert tried.spent == spent


def test_a_denied_tool_that_the_client_got_over_is_a_warning(tried: Tried) -> None:
    delivery = tried.run("claude_code", "work(); result(structured_output=ANSWER, permission_denials=DENIED)")
    assert delivery.context, delivery.reason
    assert delivery.context["error_log"] == [
        {
            "agent": "claude",
            "error": "claude was denied Bash and went on without; --allowedTools allows it",
            "resolved": True,
        }
    ]


@pytest.mark.parametrize("heeds", [True, False])
def test_what_a_stopped_client_has_spent_counts(tried: Tried, heeds: bool) -> None:
    # It is interrupted by the wrapper and with it: a second signal must not come between its last words.
    last_words = "lambda *_: (signal.signal(signal.SIGINT, signal.SIG_IGN), result(0.9, is_error=True), sys.exit(1))"
    handler = last_words if heeds else "signal.SIG_IGN"
    script = f"signal.signal(signal.SIGINT, {handler})\n{SPENDING}print('ready', flush=True)\nwhile True: time.sleep(1)"
    delivery = tried.run("claude_code", script, lambda line: tried.cancel.set() if "ready" in line else None)
    assert delivery.cancelled
    assert tried.spent == ((0.9, 120) if heeds else (0, 9))
