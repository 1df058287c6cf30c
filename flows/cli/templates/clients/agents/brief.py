"""What the wrappers share: the assignment as a prompt, and the context a client's answer becomes."""

import json
import os
import subprocess
import sys
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


def leave(answer: Any, **more: Any) -> None:
    """Check the client's answer, and write it as this track's context."""
    if not isinstance(answer, dict) or not set(SCHEMA["required"]) <= answer.keys():
        fail(f"the client ended without the object it was asked for: {str(answer)[:200]}")
    context = {**answer, "context_summary": str(answer["context_summary"])[:500], **more}
    Path(os.environ["PLAIT_CONTEXT"]).write_text(json.dumps(context, ensure_ascii=False), encoding="utf-8")


def parse(text: str) -> dict[str, Any]:
    """Return a line's or file's object, empty if it is none."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def start(argv: list[str], **environment: str) -> subprocess.Popen[str]:
    """Start the client, its events on a pipe."""
    try:
        return subprocess.Popen(
            argv,
            env={**environment, **os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        fail(f"{argv[0]} is not on PATH: install it where plait runs")


def fail(why: str, code: int = 1) -> NoReturn:
    """End the track; the last line of the log is the reason plait shows."""
    print(why, file=sys.stderr, flush=True)
    sys.exit(code)
