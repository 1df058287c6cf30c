"""An agent for tests: notes in a ledger outside every workspace that it ran, then behaves as its arguments say.

    LEDGER=FILE worker.py [DEED...]

Deeds, in order: `fail-first` (exit 75 on the first attempt), `exit=N`, `sleep=SECONDS`, `wait=FILE` (until it is there),
`leave=TEXT` (a context for a checkpoint), `stubborn` (ignore SIGINT and SIGTERM, and have a child like that in a session
of its own), `write=PATH`, `cost=USD`, `spend=USD` (said at once, not at the end), `say=TEXT`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def note(ledger: str, **more: object) -> None:
    """Append one line to the ledger in a single write."""
    line = json.dumps({"task": os.environ["PLAIT_TASK_ID"], "pid": os.getpid(), **more}) + "\n"
    descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def be_stubborn(ledger: str) -> None:
    """Outlive gentle signals, here and in a child in a session of its own, and in a grandchild of that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    code = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True)
    note(ledger, child=child.pid)


def main() -> None:
    """Do the deeds."""
    ledger, deeds = os.environ["LEDGER"], sys.argv[1:]
    assignment = json.loads(Path(os.environ["PLAIT_ASSIGNMENT"]).read_text(encoding="utf-8"))
    left = Path(os.environ["PLAIT_CONTEXT"])
    note(ledger, attempt=assignment["attempt"], checkpoint=assignment.get("checkpoint"))
    context: dict[str, object] = {"decisions": [f"{os.environ['PLAIT_TASK_ID']} is done so"]}
    for deed in deeds:
        name, _, value = deed.partition("=")
        if name == "fail-first" and assignment["attempt"] == 1:
            print("not today")
            sys.exit(75)
        elif name == "exit":
            sys.exit(int(value))
        elif name == "sleep":
            time.sleep(float(value))
        elif name == "wait":
            while not Path(value).exists():
                time.sleep(0.05)
        elif name == "leave":
            left.write_text(json.dumps({"done": value}), encoding="utf-8")
        elif name == "stubborn":
            be_stubborn(ledger)
        elif name == "write":
            Path(value).parent.mkdir(parents=True, exist_ok=True)
            Path(value).write_text(f"{value} by {os.environ['PLAIT_TASK_ID']}\n", encoding="utf-8")
        elif name == "cost":
            context["usage"] = {"cost_usd": float(value)}
        elif name == "spend":
            context["usage"] = {"cost_usd": float(value)}
            left.write_text(json.dumps(context), encoding="utf-8")
        elif name == "say":
            print(value)
    left.write_text(json.dumps(context), encoding="utf-8")


main()
