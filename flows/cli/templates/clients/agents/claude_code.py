"""A `command` agent that has Claude Code do the track. Arguments are passed on to `claude`.

agents:
  developer:
    backend: command
    argv: ["{python}", "{spec_dir}/agents/claude_code.py", --max-budget-usd, "2", --allowedTools, "Bash(npm test)"]
    env: {ANTHROPIC_API_KEY: "env:ANTHROPIC_API_KEY", CLAUDE_CODE_MAX_RETRIES: "3"}
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from brief import (
    SCHEMA,
    TRY_AGAIN,
    accepted,
    amount,
    codes,
    events,
    fail,
    inner,
    leave,
    leave_usage,
    prompt,
    tokens,
    workspace,
)

ARGV = [
    "claude",
    "--print",
    "--output-format=stream-json",  # an event a line, so that the log and the progress are live
    "--verbose",
    "--permission-mode=acceptEdits",  # root may not bypass permissions; edits in the workspace are all it needs
    f"--json-schema={json.dumps(SCHEMA)}",
]


READ = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
LAST_INSTANT = 253_402_300_800
"""The seconds of the year 10000, which no calendar of Python knows."""


class Said:
    """What the client's events said so far."""

    def __init__(self) -> None:
        self.before = workspace()
        self.result: dict[str, Any] = {}
        self.answer: dict[str, Any] | None = None
        self.denied: set[str] = set()
        self.limit: dict[str, Any] = {}
        self.calls: dict[str, dict[str, Any]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Take an event; the last accepted answer wins, and what was spent is left at once."""
        if event.get("type") == "result":
            self.result = event
            denials = event.get("permission_denials")
            for one in denials if isinstance(denials, list) else ():
                self.denied.add(str(inner(one).get("tool_name") or one))
            if not event.get("is_error"):
                self.answer = accepted(event.get("structured_output")) or accepted(event.get("result")) or self.answer
        elif event.get("type") == "rate_limit_event":
            self.limit = inner(event, "rate_limit_info")
        elif event.get("type") == "assistant" and (usage := inner(event, "message", "usage")):
            # Told once for every block of a message, and each time for the whole of it.
            self.calls[str(event["message"].get("id"))] = usage
        else:
            return
        if self.usage["cost_usd"] or self.usage["input_tokens"]:
            leave_usage(self.usage)

    @property
    def usage(self) -> dict[str, Any]:
        """What was spent: the result says it for the whole of it, before that every call for itself."""
        told = [inner(self.result, "usage")] if inner(self.result, "usage") else list(self.calls.values())
        return {
            "input_tokens": sum(tokens(one.get(name)) for one in told for name in READ),
            "output_tokens": sum(tokens(one.get("output_tokens")) for one in told),
            "cost_usd": amount(self.result.get("total_cost_usd")),
        }

    def judge(self) -> None:
        """Fail the track unless the client has answered."""
        limited = (
            self.limit.get("status") == "rejected" or "hit your limit" in self.words or "usage limit" in self.words
        )
        if self.answer is not None and (limited or not self.result.get("is_error")):
            if self.denied and self.before is not None and workspace() == self.before:
                # "success" is also said when every tool was denied and nothing was done.
                fail(f"claude was denied {self.tools}; allow it with --allowedTools (it changed nothing)")
            return
        said = self.words
        if limited:
            resets = amount(self.limit.get("resetsAt"))
            sensible = 0 < resets < LAST_INSTANT
            at = f"; it resets at {datetime.fromtimestamp(resets, UTC):%Y-%m-%d %H:%M} UTC" if sensible else ""
            fail(f"claude: a usage limit was reached: {said or self.limit.get('rateLimitType')}{at}", TRY_AGAIN)
        if not self.result:
            fail(f"claude ended with exit code {codes[-1]} and no result")
        if self.denied:
            fail(f"claude was denied {self.tools}; allow it with --allowedTools")
        if self.result.get("is_error") or codes[-1] > 0:
            overloaded = tokens(self.result.get("api_error_status")) in {429, 500, 502, 503, 529}
            fail(f"claude: {said}", TRY_AGAIN if overloaded else 1)
        fail(f"claude ended without the object it was asked for: {said[:200]}")

    @property
    def words(self) -> str:
        """What the last result says in words."""
        return str(self.result.get("result") or self.result.get("subtype") or "")

    @property
    def tools(self) -> str:
        """The tools that were denied."""
        return ", ".join(sorted(self.denied))


def main() -> None:
    """Run the client, pass its events on, and judge by its result, not by its exit code alone."""
    said = Said()
    argv = [*ARGV, *sys.argv[1:], "--", prompt()]
    for event in events(argv, lambda: said.answer, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1"):
        said.take(event)
    said.judge()
    if said.answer is not None:
        more: dict[str, Any] = {}
        if said.denied:
            warning = f"claude was denied {said.tools} and went on without; --allowedTools allows it"
            print(f"warning: {warning}", file=sys.stderr, flush=True)
            more["error_log"] = [{"agent": "claude", "error": warning, "resolved": True}]
        leave(said.answer, usage=said.usage, **more)


if __name__ == "__main__":
    main()
