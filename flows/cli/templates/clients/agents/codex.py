"""A `command` agent that has Codex do the track. Arguments are passed on to `codex exec`.

agents:
  developer:
    backend: command
    argv: ["{python}", "{spec_dir}/agents/codex.py"]
    env: {CODEX_API_KEY: "env:CODEX_API_KEY"}
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from brief import SCHEMA, TRY_AGAIN, accepted, codes, events, fail, inner, leave, leave_usage, prompt, tokens


def main() -> None:
    """Run the client, pass its events on, and judge by them and by the last message."""
    folder = Path(tempfile.mkdtemp(prefix="codex-"))  # below the agent's own TMPDIR, which is removed with it
    schema, last = folder / "schema.json", folder / "last.json"
    schema.write_text(json.dumps(SCHEMA), encoding="utf-8")
    argv = [
        "codex", "exec", "--json", "--sandbox=workspace-write", "--skip-git-repo-check",
        f"--output-schema={schema}", f"--output-last-message={last}", *sys.argv[1:], "--", prompt(),
    ]  # fmt: skip
    usage = {"input_tokens": 0, "output_tokens": 0}
    problem = ""
    done: list[Any] = []  # the answer of the last turn that ended with one
    answer: dict[str, Any] | None = None
    for event in events(argv, lambda: list(done) or None):
        item = inner(event, "item")
        if event.get("type") == "item.completed" and item.get("type") == "agent_message":
            answer = accepted(item.get("text")) or answer  # the last accepted one wins
        elif event.get("type") == "turn.completed":
            usage = {name: usage[name] + tokens(inner(event, "usage").get(name)) for name in usage}
            leave_usage(usage)
            problem = ""
            if answer is not None or last.is_file():
                done[:] = [answer]
        elif event.get("type") in {"turn.failed", "error"}:
            problem = str(inner(event, "error").get("message") or event.get("error") or event.get("message") or event)
    if last.is_file():
        answer = accepted(last.read_text(encoding="utf-8", errors="replace")) or answer
    if problem or (codes[-1] and not done):
        why = problem or f"ended with exit code {codes[-1]}"
        fail(f"codex: {why}", TRY_AGAIN if "usage limit" in why else 1)
    if answer is None:  # codex does not check the schema
        fail("codex ended without the object it was asked for")
    if not done:
        fail("codex ended before its turn was completed")
    leave(answer, usage=usage)


if __name__ == "__main__":
    main()
