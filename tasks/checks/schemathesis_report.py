"""What schemathesis found: its report of events, as far as an honest server can be judged by it.

An answer that the document does not name counts where it is a success or a redirection: a client error that nobody
wrote down is what honest servers say to odd requests.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from contexts.json.values import is_list, is_object, mapping, section, text, whole

_MOST_LINE = 20_000_000
_STATUS_CHECK = "status_code_conformance"


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer that is not as the document says; of several of one kind the first.

    Attributes:
        operation: Method and path, as the document has them.
        title: What kind of failure it is.
        message: What is wrong.
        sent: The request.
        answered: Status and the beginning of the body.
    """

    operation: str
    title: str
    message: str
    sent: str
    answered: str


def read_failures(report: Path) -> tuple[list[Failure], int]:
    """Return what was found, each kind once for each operation, and how many operations were tried."""
    found: dict[tuple[str, str], Failure] = {}
    tried: set[str] = set()
    with report.open("rb") as lines:
        for line in lines:
            recorder = _recorder(line)
            label = text(recorder.get("label"))
            interactions = section(recorder, "interactions")
            if interactions:
                tried.add(label)
            for case, checks in section(recorder, "checks").items():
                for kind, one in _failures(label, checks, mapping(interactions.get(case))):
                    found.setdefault((label, kind), one)
    return list(found.values()), len(tried)


def _recorder(line: bytes) -> Mapping[str, Any]:
    if len(line) > _MOST_LINE:
        return {}
    try:
        event: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return section(section(mapping(event), "ScenarioFinished"), "recorder")


def _failures(label: str, checks: object, interaction: Mapping[str, Any]) -> Iterator[tuple[str, Failure]]:
    request, response = section(interaction, "request"), section(interaction, "response")
    status = whole(response.get("status_code")) or 0
    for check in checks if is_list(checks) else []:
        failure = section(section(mapping(check), "failure_info"), "failure")
        if mapping(check).get("status") != "failure" or not is_object(failure):
            continue
        name = text(mapping(check).get("name"))
        if name == _STATUS_CHECK and not 200 <= status < 400:
            continue
        sent = f"{text(request.get('method'))} {text(request.get('uri'))} {_decoded(request.get('body'))}".strip()
        answered = f"{status} {_decoded(response.get('content'))}".strip()
        message = " ".join(text(failure.get("message")).split())[:500]
        yield name, Failure(label, text(failure.get("title")) or name, message, sent, answered)


def _decoded(value: object) -> str:
    """Return the beginning of a body, which the report holds in base64."""
    try:
        raw = base64.b64decode(text(mapping(value).get("$base64"))[:4000])
    except (binascii.Error, ValueError):
        return ""
    return raw.decode("utf-8", "replace")
