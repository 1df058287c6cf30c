"""A `command` agent that has Claude Code do the track. Arguments are passed on to `claude`.

agents:
  developer:
    backend: command
    argv: ["{python}", "{spec_dir}/agents/claude_code.py", --max-budget-usd, "2", --allowedTools, "Bash(npm test)"]
    env: {ANTHROPIC_API_KEY: "env:ANTHROPIC_API_KEY", CLAUDE_CODE_MAX_RETRIES: "3"}
"""

import json
import sys
from typing import Any

from brief import SCHEMA, TRY_AGAIN, fail, leave, parse, prompt, start

ARGV = [
    "claude",
    "--print",
    "--output-format=stream-json",  # an event a line, so that the log and the progress are live
    "--verbose",
    "--permission-mode=acceptEdits",  # root may not bypass permissions; edits in the workspace are all it needs
    f"--json-schema={json.dumps(SCHEMA)}",
]


def main() -> None:
    """Run the client, pass its events on, and judge by its result, not by its exit code alone."""
    argv = [*ARGV, *sys.argv[1:], "--", prompt()]
    result: dict[str, Any] = {}
    with start(argv, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1") as client:
        for line in client.stdout or ():
            print(line, end="", flush=True)
            event = parse(line)
            if event.get("type") == "result":
                result = event
    if not result:
        fail(f"claude ended with exit code {client.returncode} and no result")
    if client.returncode or result.get("is_error"):
        overloaded = result.get("api_error_status") in {429, 500, 502, 503, 529}
        fail(f"claude: {result.get('result') or result.get('subtype')}", TRY_AGAIN if overloaded else 1)
    if denied := result.get("permission_denials"):
        # "success" is also said when every tool was denied and nothing was done.
        fail(
            f"claude was denied {', '.join(sorted({one['tool_name'] for one in denied}))}; allow it with --allowedTools"
        )
    usage = result.get("usage", {})
    read = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    leave(
        result.get("structured_output"),
        usage={
            "input_tokens": sum(usage.get(name) or 0 for name in read),
            "output_tokens": usage.get("output_tokens") or 0,
            "cost_usd": result.get("total_cost_usd") or 0,
        },
    )


if __name__ == "__main__":
    main()
