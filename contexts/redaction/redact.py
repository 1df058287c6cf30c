"""The scanner of the save boundary: takes secret values out of documents, logs and diffs before anything is stored.

Only the secret part is replaced, by ``[redacted:KIND]``. Names of secrets and references such as ``env:NAME`` stay.
Nothing is ever verified over the network. There are two levels of certainty:

- certain: a value that plait itself handed over (`contexts.redaction.known_values`), or a token with a form of its own
  (`contexts.redaction.kingfisher`, `contexts.redaction.shapes`);
- a guess: a value that only the name beside it makes a secret (`contexts.redaction.guesses`). It is taken out of
  documents and logs; a branch keeps it, and nothing is refused for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonpointer import escape
from pydantic import JsonValue

from contexts.json.values import is_list, is_object
from contexts.redaction.kingfisher import token_spans
from contexts.redaction.known_values import known_spans, knows_any, straddling
from contexts.redaction.patterns import Shape
from contexts.redaction.placeholders import is_made_up
from contexts.redaction.shapes import KEY_BEGIN, KEY_END, all_hints, shapes

Found = tuple[int, int, str, bool]
"""Start, end, kind, and whether it is certain."""
_Finder = Callable[[str], Iterable[Found]]


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Where in a document a secret was: RFC 6901 pointer into the redacted document, and the kind of secret."""

    pointer: str
    kind: str
    certain: bool = True


@dataclass(frozen=True, slots=True, order=True)
class LineHit:
    """Where in a text a secret was: its line in the text as given, from 1, and the kind of secret."""

    line: int
    kind: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Redacted:
    """A document without its secrets; with no hits it is the very value that was given."""

    value: JsonValue
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A text without its secrets."""

    text: str
    hits: tuple[LineHit, ...]


def redact_text(text: str, *, guesses: bool = True) -> RedactedText:
    """Take the secret values out of a log or diff.

    Args:
        text: The text.
        guesses: Take out also what only its name makes a secret.
    """
    found = _spans(text, _finders(text, guesses=guesses))
    if not found:
        return RedactedText(text, ())
    hits: list[LineHit] = []
    line, counted = 1, 0
    for start, _, kind, certain in found:
        line += text.count("\n", counted, start)
        counted = start
        hits.append(LineHit(line, kind, certain))
    return RedactedText(_replaced(text, found), tuple(hits))


def find_secrets(text: str, *, guesses: bool = True) -> tuple[Found, ...]:
    """Return where in a text secret values are, in order."""
    return tuple(_spans(text, _finders(text, guesses=guesses)))


def redact(value: JsonValue, *, guesses: bool = True) -> Redacted:
    """Take the secret values out of a whole document: every string and every object key.

    A value is seen together with the name it stands under (its key, the ``name`` beside a ``value``, the list element
    before it), because some secrets are known by their name only.

    Args:
        value: The document.
        guesses: Take out also what only its name makes a secret.
    """
    lines = "\n".join(_lines(value))
    matching = _matching(lines, guesses=guesses)
    if not matching:
        return Redacted(value, ())
    walk = _Walk(matching)
    clean = walk.document(value)
    return Redacted(clean, tuple(sorted(walk.hits))) if walk.hits else Redacted(value, ())


def is_redacted(text: str) -> bool:
    """Say whether a secret value was taken out of a text."""
    return _REDACTED.search(text) is not None


_REDACTED = re.compile(r"\[redacted:[a-z0-9-]+\]")


def _finders(text: str, *, guesses: bool) -> list[_Finder]:
    """Return what may find something in a text, in the order in which a hit's name is chosen."""
    lowered = text.lower()
    hints = {hint for hint in all_hints() if hint in lowered}
    known = known_spans if guesses else _known_for_certain
    if not hints:
        return [known, _tokens]
    possible = [shape for shape in shapes() if not hints.isdisjoint(shape.hints)]
    certain = [_finder(shape) for shape in possible if shape.certain]
    guessed = [_finder(shape) for shape in possible if guesses and not shape.certain]
    return [known, *certain, _tokens, *guessed]


def _matching(text: str, *, guesses: bool) -> list[_Finder]:
    """Return what finds something in a text."""
    return [find for find in _finders(text, guesses=guesses) if next(iter(find(text)), None) is not None]


def _finder(shape: Shape) -> _Finder:
    return lambda text: (
        (start, end, shape.kind, shape.certain)
        for start, end in shape.find(text)
        if not (shape.certain and is_made_up(text[start:end]))
    )


def _known_for_certain(text: str) -> Iterator[Found]:
    return (one for one in known_spans(text) if one[3])


def _tokens(text: str) -> Iterator[Found]:
    return ((start, end, kind, True) for start, end, kind in token_spans(text) if not is_made_up(text[start:end]))


def _spans(text: str, among: Iterable[_Finder]) -> list[Found]:
    """Return what is found in order; overlapping ones become one, named after the one that begins first."""
    return _disjoint(one for find in among for one in find(text))


def _replaced(text: str, found: Iterable[Found]) -> str:
    parts: list[str] = []
    position = 0
    for start, end, kind, _ in found:
        parts += (text[position:start], f"[redacted:{kind}]")
        position = end
    return "".join((*parts, text[position:]))


def _lines(value: JsonValue) -> list[str]:
    """Return every string with its name, so that whatever `_Walk` would find is found in the joined text first."""
    lines: list[str] = []
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            lines.append(node)
        elif is_object(node):
            named = _name_beside(node)
            for key, item in node.items():
                if isinstance(item, str):
                    lines.append(f'{key}="{item}"')
                    if named and key == "value":
                        lines.append(f'{named}="{item}"')
                else:
                    lines.append(key)
                    stack.append(item)
        elif is_list(node):
            before = ""
            if knows_any():
                lines.append("\n".join(item for item in node if isinstance(item, str)))
            for item in node:
                if isinstance(item, str):
                    lines.append(item)
                    if before:
                        lines.append(f'{before}="{item}"')
                    before = item if len(item) <= _LONGEST_NAME else ""
                else:
                    stack.append(item)
                    before = ""
    return lines


_LONGEST_NAME = 100


def _name_beside(entries: Mapping[str, object]) -> str:
    """Return the name in objects such as ``{"name": ..., "value": ...}``, or nothing."""
    for key in ("name", "key"):
        name = entries.get(key)
        if isinstance(name, str) and len(name) <= _LONGEST_NAME:
            return name
    return ""


@dataclass(slots=True)
class _Walk:
    """Copies a document without its secrets; iterative, so that depth is no danger."""

    among: list[_Finder]
    hits: list[Hit] = field(default_factory=list[Hit])

    def document(self, value: JsonValue) -> JsonValue:
        holder: list[Any] = []
        stack: list[tuple[Any, Any, str]] = []

        def put(item: Any, pointer: str, names: tuple[str, ...]) -> Any:
            if isinstance(item, str):
                return self.text(item, pointer, names)
            if is_object(item) or is_list(item):
                copy: Any = {} if is_object(item) else []
                stack.append((item, copy, pointer))
                return copy
            return item

        holder.append(put(value, "", ()))
        while stack:
            source, target, pointer = stack.pop()
            if is_object(source):
                named = _name_beside(source)
                for key, item in source.items():
                    clean = self.key(key, pointer, target, source)
                    names = (key, named) if key == "value" and named else (key,)
                    target[clean] = put(item, f"{pointer}/{escape(clean)}", names)
            else:
                self.elements(source, target, pointer, put)
        return holder[0]

    def elements(self, source: list[Any], target: list[Any], pointer: str, put: Any) -> None:
        before, inside_key = "", False
        split = straddling([item if isinstance(item, str) else "" for item in source])
        for index, item in enumerate(source):
            here = f"{pointer}/{index}"
            if not isinstance(item, str):
                target.append(put(item, here, ()))
                before = ""
                continue
            # A key stored as a list of its lines: everything from BEGIN to END goes.
            if inside_key or _opens_key(item, source, index):
                inside_key = not KEY_END.search(item)
                self.hits.append(Hit(here, "private-key"))
                target.append("[redacted:private-key]")
                before = ""
                continue
            target.append(self.text(item, here, (before,) if before else (), split.get(index, ())))
            before = item if len(item) <= _LONGEST_NAME else ""

    def text(self, text: str, pointer: str, names: tuple[str, ...], more: Iterable[Found] = ()) -> str:
        found = _disjoint([*_spans(text, self.among), *more])
        for name in names:
            prefix = f'{name}="'
            if named := [
                (start - len(prefix), end - len(prefix), kind, certain)
                for start, end, kind, certain in _spans(f'{prefix}{text}"', self.among)
                if start >= len(prefix) and end <= len(prefix) + len(text)
            ]:
                known = {span[:2] for span in found}
                found = _disjoint([*found, *(span for span in named if span[:2] not in known)])
        self.hits.extend(Hit(pointer, kind, certain) for _, _, kind, certain in found)
        return _replaced(text, found) if found else text

    def key(self, key: str, pointer: str, taken: Mapping[str, object], entries: Mapping[str, object]) -> str:
        found = [one for one in _spans(key, self.among) if one[3]]
        if not found:
            return key
        clean = base = _replaced(key, found)
        number = 1
        while clean in taken or clean in entries:
            number += 1
            clean = f"{base}-{number}"
        self.hits.extend(Hit(f"{pointer}/{escape(clean)}", kind, certain) for _, _, kind, certain in found)
        return clean


def _disjoint(found: Iterable[Found]) -> list[Found]:
    kept: list[Found] = []
    for start, end, kind, certain in sorted(found, key=lambda span: (span[0], -span[1])):
        if kept and start < kept[-1][1]:
            before = kept[-1]
            kept[-1] = (before[0], max(before[1], end), before[2], before[3] or certain)
        else:
            kept.append((start, end, kind, certain))
    return kept


def _opens_key(item: str, source: list[Any], index: int) -> bool:
    """Return whether a list element begins a private key that a later element ends."""
    begin = KEY_BEGIN.search(item)
    if begin is None or KEY_END.search(item, begin.end()):
        return False
    return any(isinstance(later, str) and KEY_END.search(later) for later in source[index + 1 : index + 400])
