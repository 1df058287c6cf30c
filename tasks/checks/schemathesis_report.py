"""What schemathesis found: its report of events, as far as an honest server can be judged by it.

An answer that the document does not name counts where it is a success or a redirection: a client error that nobody
wrote down is what honest servers say to odd requests.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from contexts.json.values import is_list, is_object, mapping, section, text, whole

_MOST_LINE = 20_000_000
_NO_ANSWER = re.compile(r"Connection|Timeout|ChunkedEncoding|Protocol")
"""Names of what goes wrong with a request that was sent."""
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


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of schemathesis came to.

    Attributes:
        failures: Each kind once for each operation.
        tried: Operations that were sent a request.
        untried: Why an operation was not, by operation.
    """

    failures: tuple[Failure, ...]
    tried: frozenset[str]
    untried: Mapping[str, str]


def read_schemathesis(report: Path) -> Report:
    """Return what a report says, also one that breaks off."""
    found: dict[tuple[str, str], Failure] = {}
    tried: set[str] = set()
    untried: dict[str, str] = {}
    with report.open("rb") as lines:
        while line := lines.readline(_MOST_LINE):
            event = _event(line)
            recorder = section(section(event, "ScenarioFinished"), "recorder")
            label = text(recorder.get("label"))
            interactions = section(recorder, "interactions")
            if interactions:
                tried.add(label)
            for case, checks in section(recorder, "checks").items():
                for kind, one in _failures(label, checks, mapping(interactions.get(case))):
                    found.setdefault((label, kind), one)
            error = section(event, "NonFatalError")
            if error:
                _note_error(error, found, untried)
    return Report(tuple(found.values()), frozenset(tried - untried.keys()), untried)


def _note_error(error: Mapping[str, Any], found: dict[tuple[str, str], Failure], untried: dict[str, str]) -> None:
    """Note an error: no answer to a request that the document allows is the server's, all else the document's."""
    label, value = text(error.get("label")), section(error, "value")
    kind, message = text(value.get("type")), " ".join(text(value.get("message")).split())[:500]
    if _NO_ANSWER.search(kind):
        found.setdefault((label, "no answer"), Failure(label, "No answer", message, label, ""))
    else:
        untried.setdefault(label, message or kind)


def _event(line: bytes) -> Mapping[str, Any]:
    try:
        event: object = orjson.loads(line)
    except orjson.JSONDecodeError:  # cut off, or longer than is read
        return {}
    return mapping(event)


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
