"""Secrets in lines that come one by one: a value that goes on in the next line is waited for."""

from __future__ import annotations

from collections.abc import Callable

from contexts.secrets.known import known_spans, longest_beginning

_LEAST = 4
"""Characters of a known value's beginning for which the next line is waited for."""


class KnownLines:
    """Takes known values out of lines as they come, also those that are broken over two or more.

    Args:
        say: Receives every line, in order; at most a few lines later than it came.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._held: list[str] = []

    def take(self, line: str) -> None:
        """Take the next line."""
        self._held.append(line)
        joined = "\n".join(self._held)
        if len(self._held) < _MOST_HELD and longest_beginning(joined.replace("\n", ""), _LEAST):
            return
        self.close()

    def close(self) -> None:
        """Say what was held back: nothing comes after it."""
        held, self._held = self._held, []
        if not held:
            return
        text = "\n".join(held)
        for start, end, kind, _ in sorted(known_spans(text), reverse=True):
            breaks = text.count("\n", start, end)
            text = f"{text[:start]}[redacted:{kind}]{chr(10) * breaks}{text[end:]}"
        for line in text.split("\n"):
            if line:
                self._say(line)


_MOST_HELD = 8
