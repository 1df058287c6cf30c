"""Read the bytes of a spec file, YAML or JSON, refusing what is too large, not text, or not a mapping."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contexts.json.values import is_list, is_object
from contexts.spec.json_text import read_json
from contexts.spec.spec_text import Path, SpecText, located, show
from contexts.spec.yaml_text import read_yaml

MAX_BYTES = 4_000_000


def read_spec_text(body: bytes, name: str) -> SpecText:
    """Read a file's bytes; JSON when its name ends in ``.json``, else YAML.

    Raises:
        SpecError: With line and column where there is one.
    """
    if len(body) > MAX_BYTES:
        raise located(name, None, f"has {len(body):,} bytes; a spec may have at most {MAX_BYTES:,}")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        place = (before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        raise located(name, place, "is not UTF-8; save it in that encoding") from error
    spec_text = read_json(text, name) if name.lower().endswith(".json") else read_yaml(text, name)
    if spec_text.value is None:
        raise located(name, None, "is empty; a spec needs at least workflow_id and parallel_tasks")
    if not isinstance(spec_text.value, dict):
        raise spec_text.error((), "must be a mapping with workflow_id and parallel_tasks at its top")
    _check_text(spec_text)
    return spec_text


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _check_text(spec_text: SpecText) -> None:
    """Refuse control characters, which no text of a spec needs and terminals obey, and halves of surrogate pairs."""
    for path, value in _strings(spec_text.value):
        if bad := _CONTROL.search(value):
            what = "NUL" if bad.group() == "\0" else f"the control character U+{ord(bad.group()):04X}"
            raise spec_text.error(path, f"{show(path)} holds {what}; remove it")


def _strings(value: Any) -> Iterator[tuple[Path, str]]:
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, str):
            yield path, node
        elif is_object(node):
            for key, item in node.items():
                yield (*path, key), key
                stack.append(((*path, key), item))
        elif is_list(node):
            stack.extend(((*path, index), item) for index, item in enumerate(node))
