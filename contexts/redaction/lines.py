"""Secrets in lines that come one by one: a value that goes on in the next line is waited for."""

from __future__ import annotations

from collections.abc import Callable

from contexts.redaction.known_values import known_spans, longest_beginning

_LEAST = 4
"""Characters of a known value's beginning for which the next line is waited for; fewer end a line by chance."""
_MOST_HELD = 64
"""Lines over which a value is waited for."""


class KnownLines:
    """Takes known values out of lines as they come, also those that are broken over two or more.

    Args:
        say: Receives every line, in order; at most some lines later than it came.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._held: list[str] = []
        self._before = ""

    def take(self, line: str) -> None:
        """Take the next line."""
        self._held.append(line)
        if len(self._held) < _MOST_HELD and longest_beginning("\n".join((self._before, *self._held)), _LEAST):
            return
        self.close()

    def close(self) -> None:
        """Say what was held back: nothing comes after it."""
        held, self._held = self._held, []
        if not held:
            return
        # What was said just before may have been the first characters of a value.
        said = len(self._before) + 1
        text = f"{self._before}\n" + "\n".join(held)
        self._before = "".join(text.split())[1 - _LEAST :]
        for start, end, kind, _ in sorted(known_spans(text), reverse=True):
            begin = max(start, said)
            if end <= begin:
                continue
            breaks = text.count("\n", begin, end)
            text = f"{text[:begin]}[redacted:{kind}]{chr(10) * breaks}{text[end:]}"
        for line in text[said:].split("\n"):
            if line:
                self._say(line)
