"""YAML specs: the JSON-like part of YAML 1.2, read from the parser's events with limits on depth and aliases.

Only ``true`` and ``false`` are booleans (``no`` and ``on`` are text), dates stay text, keys are text, tags are refused.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from contexts.json.values import is_list
from contexts.spec.spec_text import MAX_DEPTH, Path, Place, SpecText, clip, located, number_of

MAX_ALIASED = 10_000
"""How much aliases may stand for in one file (nodes, and hundreds of characters): room for defaults, none for bombs."""

TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}


@dataclass(slots=True)
class _Frame:
    """A collection that is being read."""

    value: Any
    path: Path
    anchor: str | None = None
    size: int = 1
    height: int = 1
    key: str | None = None


@dataclass(slots=True)
class _Anchored:
    value: Any
    size: int
    height: int


def read_yaml(text: str, name: str, *, text_keys: bool = False) -> SpecText:
    """Build a value from the parser's events, so that limits hold before memory is spent.

    Args:
        text: The file's text.
        name: Its name, for messages.
        text_keys: A key that is no text, such as ``200``, is taken as it is written instead of refused.

    Raises:
        SpecError: It is not YAML as it is read here, with line and column.
    """
    import yaml  # noqa: PLC0415 - only those who read a YAML spec pay for it

    spec_text = SpecText(name, None)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _Events(spec_text, text_keys=text_keys).run(yaml.parse(text, Loader=loader), yaml)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        if mark and (deep := _too_deep(yaml.parse(text[: mark.index], Loader=loader), yaml)):
            raise located(name, deep, TOO_DEEP) from error
        problem = error.problem or "cannot be read"
        within = f" ({error.context})" if error.context else ""
        place = (int(mark.line) + 1, int(mark.column) + 1) if mark else None
        raise located(name, place, f"not valid YAML: {problem}{within}") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise located(name, place, f"not valid YAML: {error.reason}") from error
    return spec_text


def _too_deep(events: Any, yaml: Any) -> Place | None:
    """Say where the part of a text before an error is nested too deeply, if it is.

    The parser reads up to a thousand characters ahead of its events, in case they are a key, and libyaml has a limit of
    its own there: its error can come before the event at which ours is reached.
    """
    depth = 0
    with contextlib.suppress(yaml.YAMLError):  # a text that is cut off seldom ends well
        for event in events:
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    return event.start_mark.line + 1, event.start_mark.column + 1
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                depth -= 1
    return None


class _Events:
    def __init__(self, spec_text: SpecText, *, text_keys: bool) -> None:
        self.spec_text = spec_text
        self.text_keys = text_keys
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Anchored] = {}
        self.aliased = 0
        self.documents = 0

    def run(self, events: Any, yaml: Any) -> None:
        for event in events:
            place = (event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.ScalarEvent):
                self.scalar(event, place)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self.start(event, place, {} if isinstance(event, yaml.MappingStartEvent) else [])
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self.end()
            elif isinstance(event, yaml.AliasEvent):
                self.alias(event.anchor, place)
            elif isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self.refuse(place, "holds more than one YAML document; a spec is one")

    def refuse(self, place: Place, message: str) -> NoReturn:
        raise located(self.spec_text.name, place, message)

    def scalar(self, event: Any, place: Place) -> None:
        text: str = event.value
        if event.tag not in {None, "!"}:
            if event.tag != "tag:yaml.org,2002:str":
                self.refuse(place, f"the tag {event.tag} is not allowed; write a plain value")
            value: Any = text
        elif event.style or event.tag == "!" or (self.text_keys and self.awaits_key):
            value = text
        elif text in _WORDS:
            value = _WORDS[text]
        elif _NOT_FINITE.fullmatch(text):
            self.refuse(place, f"{text} is not a number JSON can hold; put it in quotes if text is meant")
        elif _FLOAT.fullmatch(text):
            value = number_of(text, lambda message: self.refuse(place, message))
        else:
            value = text
        self.add(value, place, size=1 + len(text) // 100, height=0)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, 1 + len(text) // 100, 0)

    @property
    def awaits_key(self) -> bool:
        """Whether what comes next is the key of a mapping."""
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def start(self, event: Any, place: Place, value: Any) -> None:
        if event.tag not in {None, "!"}:
            self.refuse(place, f"the tag {event.tag} is not allowed; write a plain value")
        if len(self.stack) >= MAX_DEPTH:
            self.refuse(place, TOO_DEEP)
        path = self.add(value, place, size=0, height=0)
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Frame(value, path, event.anchor))

    def end(self) -> None:
        frame = self.stack.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = _Anchored(frame.value, frame.size, frame.height)
        if self.stack:
            self.stack[-1].size += frame.size
            self.stack[-1].height = max(self.stack[-1].height, frame.height + 1)

    def alias(self, anchor: str, place: Place) -> None:
        known = self.anchors.get(anchor)
        if known is None:
            self.refuse(place, f"the alias *{anchor} names no anchor that is complete before it")
        self.aliased += known.size
        if self.aliased > MAX_ALIASED:
            self.refuse(place, f"aliases expand to more than {MAX_ALIASED:,} nodes; write the values out")
        if len(self.stack) + known.height > MAX_DEPTH:
            self.refuse(place, f"{TOO_DEEP} through the alias *{anchor}")
        self.add(known.value, place, size=known.size, height=known.height)

    def add(self, value: Any, place: Place, *, size: int, height: int) -> Path:
        """Put a value where the parser stands; return its path."""
        if not self.stack:
            self.spec_text.value = value
            self.spec_text.values[()] = place
            return ()
        frame = self.stack[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1 if height else 1)
        holder = frame.value
        if is_list(holder):
            path: Path = (*frame.path, len(holder))
            holder.append(value)
        elif frame.key is None:
            self.key(frame, value, place)
            return frame.path
        else:
            path = (*frame.path, frame.key)
            holder[frame.key] = value
            frame.key = None
        self.spec_text.values[path] = place
        return path

    def key(self, frame: _Frame, key: Any, place: Place) -> None:
        if not isinstance(key, str):
            what = "a list or mapping" if isinstance(key, dict | list) else f"{json.dumps(key)}"
            self.refuse(place, f"a key must be text, not {what}; put it in quotes")
        if key == "<<":
            self.refuse(place, "merging with << is not supported; write the fields out")
        if key in frame.value:
            line, column = self.spec_text.keys[(*frame.path, key)]
            self.refuse(place, f"the key {clip(key)} stands twice in one mapping (first at {line}:{column})")
        frame.key = key
        self.spec_text.keys[(*frame.path, key)] = place
