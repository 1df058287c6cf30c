"""Split a type notation into tokens, once, in linear time; TypeScript-like and Python-like notations share them."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 20_000
DEEPEST = 40
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<string>'[^'\n]{0,400}'|\"[^\"\n]{0,400}\"|`[^`\n]{0,400}`)|(?P<number>-?\d{1,20}(?:\.\d{1,20})?)"
    r"|(?P<name>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*){0,8})|(?P<arrow>=>)|(?P<sign>.)",
    re.DOTALL,
)


class NotationError(ValueError):
    """A notation that cannot be read; the text says at which part."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind (``string``, ``number``, ``name``, ``arrow``, ``sign``, ``end``) and text."""

    kind: str
    text: str


_END = Token("end", "")


class Tokens:
    """A cursor over the tokens of one notation, with a nesting guard."""

    def __init__(self, notation: str) -> None:
        if len(notation) > LONGEST:
            raise NotationError(f"longer than {LONGEST} characters")
        self._tokens = tuple(
            Token(str(match.lastgroup), match.group())
            for match in _TOKEN.finditer(notation)
            if match.lastgroup != "space"
        )
        self._at = 0
        self._depth = 0

    def peek(self, ahead: int = 0) -> Token:
        """Return a token ahead without taking it."""
        index = self._at + ahead
        return self._tokens[index] if index < len(self._tokens) else _END

    def take(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._at += 1
        return token

    def accept(self, text: str) -> bool:
        """Take the next token if it is this very text (and no quoted string)."""
        token = self.peek()
        if token.text == text and token.kind != "string":
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Take the next token, which must be this text.

        Raises:
            NotationError: It is another one.
        """
        if not self.accept(text):
            raise NotationError(f"{text!r} expected, {self.peek().text[:40] or 'the end'!r} found")

    def finish(self) -> None:
        """Make sure that nothing is left.

        Raises:
            NotationError: Something follows.
        """
        if self.peek().kind != "end":
            raise NotationError(f"{self.peek().text[:40]!r} follows the type")

    def enter(self) -> None:
        """Go one level deeper.

        Raises:
            NotationError: Nested too deep to be meant.
        """
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotationError(f"nested more than {DEEPEST} levels")

    def leave(self) -> None:
        """Come back one level."""
        self._depth -= 1

    def parenthesis(self) -> str:
        """Take a balanced ``(...)`` and return what is in it, tokens joined by spaces.

        Raises:
            NotationError: It does not close.
        """
        self.expect("(")
        depth, inside = 1, list[str]()
        while depth:
            token = self.take()
            if token.kind == "end":
                raise NotationError("')' expected, the end found")
            depth += (token.text == "(") - (token.text == ")") if token.kind == "sign" else 0
            inside.append(token.text)
        return " ".join(inside[:-1])


def limits(words: str) -> tuple[float | None, float | None]:
    """Read ``min 1, max 100``, ``1-100``, ``ge=0``, ``up to 50``: least and greatest, None if not said."""
    low = high = None
    if span := re.fullmatch(r"\s*(\d{1,15})\s*(?:-|\u2013|to|\. \.|\.\.)\s*(\d{1,15})(?: \w{1,20})?\s*", words):
        return float(span.group(1)), float(span.group(2))
    for match in re.finditer(
        r"(min|max|ge|le|gt|lt|at least|at most|up to|>=|<=|> =|< =|>|<)(?:imum)?[_ ]?(?:length|len|items|size)?"
        r"\s{0,3}[=: ]{0,3}\s{0,3}(-?\d{1,15}(?:\.\d{1,9})?)",
        words.lower()[:400],
    ):
        value = float(match.group(2))
        if match.group(1) in {"min", "ge", "gt", "at least", ">=", "> =", ">"}:
            low = value
        else:
            high = value
    return low, high
