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

from brief import SCHEMA, fail, leave, parse, prompt, start


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
    with start(argv) as client:
        for line in client.stdout or ():
            print(line, end="", flush=True)
            event = parse(line)
            if event.get("type") == "turn.completed":
                usage = {name: usage[name] + int(event["usage"].get(name) or 0) for name in usage}
            elif event.get("type") == "turn.failed":
                problem = str(event.get("error", {}).get("message") or event)
    if client.returncode or problem:
        fail(f"codex: {problem or f'ended with exit code {client.returncode}'}")
    text = last.read_text(encoding="utf-8") if last.is_file() else ""
    leave(parse(text), usage=usage)  # codex does not check the schema; `leave` does


if __name__ == "__main__":
    main()
