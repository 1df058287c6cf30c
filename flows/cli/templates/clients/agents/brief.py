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
    "required": ["summary", "decisions", "pending_actions"],
    "properties": {
        "summary": {"type": "string", "description": "what was done, in at most 500 characters"},
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
    """Return a client's answer if it is the object it was asked for, also as text or in a fence of code; else None.

    A fence counts only where it is the whole message: what stands around it may take it back.
    """
    if isinstance(answer, str):
        fenced = re.fullmatch(r"\s*```(?:json)?[ \t]*\r?\n(.*?)\n[ \t]*```\s*", answer, re.DOTALL)
        answer = parse(fenced[1] if fenced else answer)
    if not isinstance(answer, dict):
        return None
    known = {name: answer.get(name) for name in SCHEMA["properties"]}
    summary, *lists = known.values()
    fits = isinstance(summary, str) and summary.strip() and all(_are_texts(one) for one in lists)
    return known if fits else None


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def inner(value: Any, *names: str) -> dict[str, Any]:
    """Return the object under a path of names, empty where there is none: events are what a client makes of them."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def amount(value: Any) -> float:
    """Return what is a usable number above 0, also as text; 0 for everything else."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            found = float(value)
            return found if 0 < found < 2**63 else 0
    return 0


def tokens(value: Any) -> int:
    """Return a count of tokens."""
    return int(amount(value))


def leave(answer: dict[str, Any], **more: Any) -> None:
    """Write an accepted answer as this track's context."""
    _write({**answer, "summary": answer["summary"][:500], **more})


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
    except (ValueError, RecursionError):  # no JSON, an integer of thousands of digits, nesting without end
        return {}
    return found if isinstance(found, dict) else {}


def events(argv: list[str], answer: Callable[[], Any], **environment: str) -> Iterator[dict[str, Any]]:
    """Start the client and yield its events; what it prints goes into the log.

    A client that lingers or goes on talking, or that leaves children who hold its output open, is ended ten seconds
    after its answer. Being asked to stop, it is given the same time to say what it has spent.

    Args:
        argv: The client's arguments.
        answer: Says what the client has answered, None before; another answer has ten seconds of its own.
        environment: Variables for the client, beside plait's own.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: lines.put(_STOP))
    client = _start(argv, environment)
    threading.Thread(target=_read, args=(client, lines), daemon=True).start()
    ends: float | None = None
    answered: Any = None
    while ends is None or time.monotonic() <= ends:
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            if client.poll() is not None:
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
        if answer() != answered:
            answered = answer()
            ends = time.monotonic() + LINGER_SECONDS
    if client.poll() is None and answered is None and ends is None:
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


def workspace() -> str | None:
    """Return what git tells of the workspace, to see whether a client changed anything; None where git tells nothing.

    The time of a file that git does not know tells of a change to it, where its line in the status stays the same.
    """
    argv = ["git", "status", "--porcelain", "-z", "--untracked-files=all"]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode != 0:
        return None
    lines = [os.fsdecode(line) for line in done.stdout.split(b"\0") if line]
    return "\n".join(f"{line} {_touched(Path(line[3:]))}" for line in lines)


def _touched(path: Path) -> tuple[int, int]:
    try:
        status = path.lstat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def fail(why: str, code: int = 1) -> NoReturn:
    """End the track; the last line of the log is the reason plait shows, so it is one line."""
    print(" ".join(why.split()), file=sys.stderr, flush=True)
    sys.exit(code)
