"""What the wrappers share: the assignment as a prompt, and the context a client's answer becomes."""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["context_summary", "decisions", "pending_actions"],
    "properties": {
        "context_summary": {"type": "string", "description": "what was done, in at most 500 characters"},
        "decisions": {"type": "array", "items": {"type": "string"}},
        "pending_actions": {"type": "array", "items": {"type": "string"}},
    },
}
"""What the client is asked to end with."""
TRY_AGAIN = 75
"""The exit code of a failure that can pass; plait tries again where the track has `retries`."""


def prompt() -> str:
    """Return the track's assignment as instructions; checkpoints and the last failure are in it."""
    assignment: dict[str, Any] = json.loads(Path(os.environ["PLAIT_ASSIGNMENT"]).read_text(encoding="utf-8"))
    owns = ", ".join(assignment["owns"]) or "any file"
    return (
        f"Your track: {assignment['scope']}\n"
        f"Work in the current folder. Change only: {owns}. Do not commit; that is done for you.\n"
        "End with an object of the given schema: what you did, what you decided, what is left to do.\n"
        f"All you have to go by, as JSON:\n{json.dumps(assignment, ensure_ascii=False, indent=1)}"
    )


def accepted(answer: Any) -> dict[str, Any] | None:
    """Return a client's answer if it is the object it was asked for, also as text or in a fence of JSON; else None."""
    if isinstance(answer, str):
        fenced = re.findall(r"```(?:json)?\s*\n(.*?)```", answer, re.DOTALL)
        answer = parse(fenced[-1] if fenced else answer)
    return answer if isinstance(answer, dict) and set(SCHEMA["required"]) <= answer.keys() else None


def leave(answer: dict[str, Any], **more: Any) -> None:
    """Write an accepted answer as this track's context."""
    _write({**answer, "context_summary": str(answer["context_summary"])[:500], **more})


def leave_usage(usage: dict[str, Any]) -> None:
    """Write what was spent so far: it counts against the budget however the track ends."""
    _write({"usage": usage})


def _write(context: dict[str, Any]) -> None:
    place = Path(os.environ["PLAIT_CONTEXT"])
    made = place.with_name("context.new.json")
    made.write_text(json.dumps(context, ensure_ascii=False), encoding="utf-8")
    made.replace(place)  # whoever looks at it meanwhile sees the one or the other, whole


def parse(text: str) -> dict[str, Any]:
    """Return a line's or file's object, empty if it is none."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def events(argv: list[str], is_done: Callable[[], bool], **environment: str) -> Iterator[dict[str, Any]]:
    """Start the client and yield its events; what it prints goes into the log.

    A client that lingers, or that leaves children who hold its output open, is ended ten seconds after the last event
    with which it was done. Being asked to stop, it is given the same time to say what it has spent.

    Args:
        argv: The client's arguments.
        is_done: Says whether the client has given its answer.
        environment: Variables for the client, beside plait's own.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: lines.put(_STOP))
    client = _start(argv, environment)
    threading.Thread(target=_read, args=(client, lines), daemon=True).start()
    ends: float | None = None
    while True:
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            if (ends is not None and time.monotonic() > ends) or client.poll() is not None:
                break  # also where children of a client that has ended hold its output open
            continue
        if line is None:
            break
        if line == _STOP:
            ends = ends or time.monotonic() + LINGER_SECONDS
            client.send_signal(signal.SIGINT)
            continue
        print(line, end="", flush=True)
        yield parse(line)
        if is_done():
            ends = time.monotonic() + LINGER_SECONDS
    if client.poll() is None and not is_done():
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.wait(LINGER_SECONDS)
    if client.poll() is None:
        client.kill()  # what it started ends with this program
    codes.append(client.wait())


codes: list[int] = []
"""How the client ended."""
LINGER_SECONDS = 10
_STOP = "\0stop"


def _read(client: subprocess.Popen[str], lines: "queue.SimpleQueue[str | None]") -> None:
    for line in client.stdout or ():
        lines.put(line)
    lines.put(None)


def _start(argv: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            argv,
            env={**environment, **os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        fail(f"{argv[0]} is not on PATH: install it where plait runs")


def changed_something() -> bool:
    """Say whether there is any change in the workspace, as far as git tells."""
    done = subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=False)
    return done.returncode != 0 or bool(done.stdout.strip())


def fail(why: str, code: int = 1) -> NoReturn:
    """End the track; the last line of the log is the reason plait shows."""
    print(why, file=sys.stderr, flush=True)
    sys.exit(code)
