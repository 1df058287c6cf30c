"""Values that plait itself handed over: looked for by value, in whatever dress, for as long as the process lives.

They are held in memory only. A value once handed to a program stays a secret when the run is over, so nothing is ever
forgotten; every process that reads a spec knows the values that this spec hands over.
"""

from __future__ import annotations

import base64
import html
import re
import threading
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_Found = tuple[int, int, str, bool]
_LEVELS = 4
"""How often a text is decoded: JSON within JSON within a URL is three."""
# Where a value may be broken: at the end of a line, with what indents the next, and at the colours of a terminal.
_BREAK = re.compile(
    r"(?<![ \t])[ \t]*+\\?(?:\r\n?|\n)(?:[ \t]|\r\n?|\n)*+|\x1b\[[0-9;]{0,16}[A-Za-z]|[\u200b-\u200d\u2060\ufeff\xad]"
)
_ESCAPE = re.compile(
    r"""%[0-9A-Fa-f]{2}
      | '(?:\\'|"'")'                                # a quote within quotes of a shell
      | (?<!\\)\\++(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf]|[ !-/:-@\[\]^-`{-~])
      | &(?:[a-z]{2,6}|\#\d{1,6}|\#x[0-9A-Fa-f]{1,5});""",
    re.VERBOSE,
)
# An escape that the end of a line goes through, and such ends with nothing of an escape before them.
_BROKEN_ESCAPE = re.compile(
    r"(?:%[0-9A-Fa-f]?|\\(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&(?:[a-z]{0,6}|\#\d{0,6}|\#x[0-9A-Fa-f]{0,5}))"
    r"[ \t]*+[\r\n]"
)
_LINE_END = re.compile(r"(?<![ \t])[ \t]*+(?:\r\n?|\n)(?:[ \t]|\r\n?|\n)*+")
_SPACE = re.compile(rf"\s++|{_BREAK.pattern}")
_SHORTEST_WORDS = 8
"""Characters besides the spaces that a value has which is looked for without its spaces."""
_ESCAPED = ("%", "\\", "&", "'\"'\"'")
"""What one of stands in a text that has an escape."""
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class _Value:
    """One value: the name it is replaced by, and what it looks like in a text without line breaks."""

    kind: str
    forms: tuple[str, ...]
    words: tuple[str, ...] = ()
    """The forms that have spaces, without these: a line may be broken at one, and its end takes the space's place."""


@dataclass(slots=True)
class _Registry:
    """What this process handed over."""

    values: tuple[_Value, ...] = ()
    beside: tuple[tuple[str, re.Pattern[str]], ...] = ()
    seen: frozenset[tuple[str, str]] = frozenset()


_registry = _Registry()
_lock = threading.Lock()


def know(secrets: Mapping[str, str], ordinary: Mapping[str, str] | None = None) -> None:
    """Look for these values from now on.

    Args:
        secrets: Values by the name of their variable.
        ordinary: Values that are short or plain words: they are a secret only where their name stands beside them, and
            a guess even there.
    """
    ordinary = ordinary or {}
    with _lock:
        new = {(name, value) for name, value in (*secrets.items(), *ordinary.items())} - _registry.seen
        if not new:
            return
        _registry.values += tuple(_value(name, value) for name, value in secrets.items() if (name, value) in new)
        _registry.beside += tuple(
            (_kind(name), _beside(name, value)) for name, value in ordinary.items() if (name, value) in new
        )
        _registry.seen |= new


def knows_any() -> bool:
    """Say whether any value was handed over."""
    return bool(_registry.values or _registry.beside)


def longest_known() -> int:
    """Return how many characters the longest form of a known value has."""
    return max((len(form) for value in _registry.values for form in value.forms), default=0)


def known_spans(text: str) -> Iterator[_Found]:
    """Yield where in a text a known value stands: start, end, kind, and whether that is certain."""
    for kind, expression in _registry.beside:
        for match in expression.finditer(text):
            yield *match.span(1), kind, False
    if _registry.values:
        yield from _by_value(text)


def without_known(text: str) -> str:
    """Return a text without the known values."""
    position, parts = 0, list[str]()
    for start, end, kind, certain in sorted(known_spans(text)):
        if certain and end > position:
            if start >= position:
                parts += (text[position:start], f"[redacted:{kind}]")
            position = end
    return "".join((*parts, text[position:])) if parts else text


def longest_beginning(text: str, least: int) -> int:
    """Return how many characters at the end of a text are the beginning of a known value, 0 if fewer than ``least``.

    Ends of lines and what indents the next one are not counted.
    """
    longest = 0
    flat, dense = _BREAK.sub("", text), _SPACE.sub("", text)
    for value in _registry.values:
        for within, form in (*((flat, form) for form in value.forms), *((dense, form) for form in value.words)):
            for length in range(min(len(form) - 1, len(within)), max(least, longest + 1) - 1, -1):
                if within.endswith(form[:length]):
                    longest = length
                    break
    return longest


def straddling(items: Sequence[str]) -> dict[int, list[_Found]]:
    """Return, by the index of each text, the parts of known values that begin in one text and end in a later one."""
    if not _registry.values or len(items) < 2:
        return {}
    starts: list[int] = []
    at = 0
    for item in items:
        starts.append(at)
        at += len(item) + 1
    found: dict[int, list[_Found]] = {}
    for start, end, kind, certain in _by_value("\n".join(items)):
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
        for index in range(first, last + 1) if last > first else ():
            begin = max(start - starts[index], 0)
            stop = min(end - starts[index], len(items[index]))
            if stop > begin:
                found.setdefault(index, []).append((begin, stop, kind, certain))
    return found


def _by_value(text: str) -> Iterator[_Found]:
    yield from _decoded(text, [])
    if _BROKEN_ESCAPE.search(text):
        joined = _Edited(text, _LINE_END)
        yield from _decoded(joined.text, [joined])


def _decoded(current: str, chain: list[_Edited]) -> Iterator[_Found]:
    spaced = any(value.words for value in _registry.values)
    for _ in range(_LEVELS):
        flat = _Edited(current, _BREAK)
        dense = _Edited(current, _SPACE) if spaced else flat
        for value in _registry.values:
            for within, form in (*((flat, form) for form in value.forms), *((dense, form) for form in value.words)):
                at = within.text.find(form)
                while at >= 0:
                    start, end = within.place(at, at + len(form))
                    for edited in reversed(chain):
                        start, end = edited.place(start, end)
                    yield start, end, value.kind, True
                    at = within.text.find(form, at + len(form))
        if not any(mark in current for mark in _ESCAPED):
            return
        decoded = _Edited(current, _ESCAPE)
        if decoded.text == current:
            return
        chain.append(decoded)
        current = decoded.text


class _Edited:
    """A text in which all matches of an expression were replaced; knows where its parts stood."""

    def __init__(self, before: str, expression: re.Pattern[str]) -> None:
        self._before = before
        self._expression = expression
        self._replace = _unescaped if expression is _ESCAPE else _nothing
        self._starts: list[int] = []
        self._parts: list[tuple[int, int, bool]] = []
        self.text = expression.sub(self._replace, before)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text before a part of this text stood."""
        if self.text == self._before:
            return start, end
        if not self._starts:
            self._map()
        old, _, copied = self._parts[index := bisect_right(self._starts, start) - 1]
        first = old + (start - self._starts[index]) if copied else old
        old, stop, copied = self._parts[index := bisect_right(self._starts, end - 1) - 1]
        return first, old + (end - self._starts[index]) if copied else stop

    def _map(self) -> None:
        """Remember every part: where it begins here, and where it stood; made only where something was found."""
        at = position = 0
        for match in self._expression.finditer(self._before):
            if match.start() > position:
                self._starts.append(at)
                self._parts.append((position, match.start(), True))
                at += match.start() - position
            new = len(self._replace(match))
            if new:
                self._starts.append(at)
                self._parts.append((match.start(), match.end(), False))
                at += new
            position = match.end()
        if position < len(self._before):
            self._starts.append(at)
            self._parts.append((position, len(self._before), True))


def _nothing(_: re.Match[str]) -> str:
    return ""


def _unescaped(match: re.Match[str]) -> str:
    text = match.group()
    if text[0] == "%":
        return chr(int(text[1:], 16))
    if text[0] == "&":
        return html.unescape(text)
    if text[0] == "'":
        return "'"
    tail = text.lstrip("\\")
    return chr(int(tail[1:], 16)) if tail[0] in "ux" else _LETTERS.get(tail, tail)


def _value(name: str, value: str) -> _Value:
    forms = _forms(value)
    dense = {_SPACE.sub("", form) for form in forms if _SPACE.search(form)}
    return _Value(_kind(name), forms, tuple(sorted(form for form in dense if len(form) >= _SHORTEST_WORDS)))


def _forms(value: str) -> tuple[str, ...]:
    """Return what a value looks like: plain, in base64 at each of its three alignments, and in hexadecimal."""
    raw = value.encode("utf-8", "surrogateescape")
    plain = {value, value.replace(" ", "+"), raw.decode("latin-1"), _in_utf16(value)}
    plain |= {value.replace("'", "''"), value.replace('"', '""')}  # as SQL, YAML and CSV write them
    # A file in UTF-16 is read as UTF-8: every character has a zero beside it, of which one may be another word's.
    plain |= {
        value.encode(order, "surrogatepass").decode("utf-8", "surrogateescape").strip("\0")
        for order in ("utf-16-le", "utf-16-be")
    }
    decoded = value
    for _ in range(_LEVELS - 1):
        decoded = _ESCAPE.sub(_unescaped, decoded)
        plain.add(decoded)
    encoded = {raw.hex(), raw.hex().upper()}
    # PowerShell takes its commands as base64 of UTF-16.
    for ahead, data in (
        (ahead, data) for ahead in range(3) for data in (raw, value.encode("utf-16-le", "surrogatepass"))
    ):
        whole = base64.b64encode(b"\0" * ahead + data).decode()
        # Characters that hold bits of a neighbour as well may be anything.
        core = whole[-(-ahead * 8 // 6) : (ahead + len(data)) * 8 // 6]
        encoded |= {core, core.replace("+", "-").replace("/", "_")}
    flat = {_BREAK.sub("", form) for form in (*plain, *encoded)}
    return tuple(sorted((form for form in flat if form), key=lambda form: (-len(form), form)))


def _in_utf16(value: str) -> str:
    """Return a value with what JSON escapes as two code units written as two."""
    return "".join(
        character
        if character <= "\uffff"
        else chr(0xD800 + ((ord(character) - 0x10000) >> 10)) + chr(0xDC00 + ((ord(character) - 0x10000) & 0x3FF))
        for character in value
    )


def _beside(name: str, value: str) -> re.Pattern[str]:
    return re.compile(
        rf"{re.escape(name)}\\{{0,3}}[\"']?\]?[ \t]{{0,4}}(?:=>|[:=])[ \t]{{0,4}}\\{{0,3}}[\"']?({re.escape(value)})"
        r"(?![A-Za-z0-9_])"
    )


def _kind(name: str) -> str:
    return "-".join(("env", *re.findall("[a-z0-9]+", name.lower())))
