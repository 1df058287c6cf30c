"""What a shape of a secret is, and how one is made of a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret.

    Attributes:
        kind: Name written in place of the secret.
        hints: Lower-case substrings, one of which every match contains.
        find: Yields the spans of secret parts in a text.
        certain: Whether little else looks like it. What is no more than a guess, by a name that stands beside it, is
            taken out of documents and logs, but never rewritten in a branch, and nothing is refused for it.
    """

    kind: str
    hints: tuple[str, ...]
    find: Finder
    certain: bool = True


# A letter of an escape sequence (\n, %3D, the m of a colour) is not part of the word that follows it.
_EDGE = re.compile(r"(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=%[0-9A-F]{2})|(?<=\x1b\[[0-9]m)|(?<=\x1b\[[0-9]{2}m)")
PLACEHOLDER = re.compile(
    r"""(?: \$\{?\w+(?::[-?][^{}]*)?\}?  # a shell variable
          | \{\{?[^{}]*\}?\}            # a template's field
          | <[^<>]*>  | %\(?\w*\)?s?    # fill in, or printf
          | [xX*.]+ | env:.* | \[redacted:.* )\Z""",
    re.VERBOSE,
)


def at_edge(text: str, position: int) -> bool:
    """Say whether a word can begin at a position, also behind an escape sequence or a colour of a terminal."""
    return _EDGE.match(text, position) is not None


def pattern(
    expression: str | re.Pattern[str],
    group: int = 0,
    accept: Callable[[str], bool] | None = None,
    *,
    edge: bool = False,
    behind: str = "",
) -> Finder:
    """Build a finder from a pattern.

    Args:
        expression: Begins with literals where it can: that makes the search several times faster.
        group: The group that holds the secret alone.
        accept: Decides on the secret part.
        edge: The match must begin a word.
        behind: Pattern of at most 40 characters that must come right before and belongs to the secret.
    """
    compiled = re.compile(expression)
    before = re.compile(behind + r"\Z")

    def find(text: str) -> Iterator[Span]:
        for match in compiled.finditer(text):
            start, end = match.span(group)
            if behind:
                ahead = before.search(text[max(0, start - 40) : start])
                if ahead is None:
                    continue
                start -= len(ahead.group())
            value = text[start:end]
            if edge and not at_edge(text, start):
                continue
            if value and not PLACEHOLDER.match(value) and (accept is None or accept(value)):
                yield start, end

    return find
