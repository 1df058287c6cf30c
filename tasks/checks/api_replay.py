"""Wait for an application, ask it for its OpenAPI document, and send it consumers' example requests, each once.

Run as a program of its own, in the sandbox: answers and schemas are whoever's they are. Reads a job and writes what
came of it; see `Job` and `Result`.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

MOST_BYTES = 5_000_000
_LONGEST = 500


class Request(TypedDict):
    """One example: what is sent, and what is expected.

    ``schemas`` are those of the document around it, ``responses`` by status code; ``response`` is a value that the
    answer must hold, None for any.
    """

    id: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int | None
    responses: dict[str, Any]
    schemas: dict[str, Any]
    response: Any


class Job(TypedDict):
    """What is to be done; times in seconds."""

    port: int
    ready_path: str
    ready_seconds: float
    document: str | None
    headers: dict[str, str]
    requests: list[Request]


class Answer(TypedDict):
    """What came of one request: its answer, shortened, what is wrong with it, and why that cannot be told."""

    id: str
    sent: str
    answered: str
    wrong: str
    unread: str


class Result(TypedDict):
    """``document`` is the OpenAPI document's text, where it was asked for; ``problem`` says why nothing was tried."""

    problem: str
    document: str | None
    answers: list[Answer]


def main(job_file: str, result_file: str) -> int:
    """Do a job."""
    job: Job = json.loads(Path(job_file).read_bytes())
    result: Result = {"problem": "", "document": None, "answers": []}
    if not _ready(job):
        where = f"http://127.0.0.1:{job['port']}{job['ready_path']}"
        result["problem"] = f"the application did not answer at {where} within {job['ready_seconds']:g} s"
    else:
        if job["document"] is not None:
            status, body, _ = _ask(job["port"], "GET", job["document"], job["headers"], None)
            if status == 200:
                result["document"] = body.decode("utf-8", "replace")
            else:
                result["problem"] = f"{job['document']} was answered with {status}, and is to be the OpenAPI document"
        result["answers"] = [_answer(job, one) for one in job["requests"]]
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _ready(job: Job) -> bool:
    ends = time.monotonic() + job["ready_seconds"]
    while time.monotonic() < ends:
        try:
            if _ask(job["port"], "GET", job["ready_path"], job["headers"], None)[0] < 500:
                return True
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    return False


def _ask(port: int, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        data = None if body is None else json.dumps(body).encode()
        more = {} if data is None else {"content-type": "application/json"}
        connection.request(method, path, body=data, headers={"accept": "application/json", **more, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES), answer.headers.get("content-type", "")
    finally:
        connection.close()


def _answer(job: Job, one: Request) -> Answer:
    sent = f"{one['method']} {one['path']}" + ("" if one["body"] is None else f" {json.dumps(one['body'])}")
    told: Answer = {"id": one["id"], "sent": sent[:_LONGEST], "answered": "", "wrong": "", "unread": ""}
    headers = {**job["headers"], **one["headers"]}
    try:
        status, body, _ = _ask(job["port"], one["method"], one["path"], headers, one["body"])
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {**told, "wrong": f"it was not answered: {error}"[:_LONGEST]}
    told["answered"] = f"{status} {body[:_LONGEST].decode('utf-8', 'replace')}"
    try:
        told["wrong"] = _wrong(one, status, body)[:_LONGEST]
    except Exception as error:  # noqa: BLE001 - the schema is an agent's, and may be anything
        told["unread"] = f"its schema cannot be used: {type(error).__name__} {error}"[:_LONGEST]
    return told


def _wrong(one: Request, status: int, body: bytes) -> str:
    wanted = one["status"]
    if wanted is not None and status != wanted:
        return f"it was answered with {status}, and {wanted} is expected"
    ranges = {f"{str(status)[0]}XX", "default"}
    named = {str(status), *ranges} & one["responses"].keys()
    if wanted is None and not named and (one["responses"] or status >= 400):
        listed = ", ".join(one["responses"]) or "a success"
        return f"it was answered with {status}, which is not among what is expected ({listed})"
    schema = next((one["responses"][name] for name in (str(status), *sorted(ranges)) if name in one["responses"]), True)
    if schema is None and body.strip():
        return f"{status} is expected without a body, and has one"
    if schema in (None, True) and one["response"] is None:
        return ""
    try:
        value = json.loads(body)
    except ValueError:
        return "its answer is no JSON"
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only where a schema is given
    from referencing import Registry  # noqa: PLC0415

    if isinstance(schema, dict):
        whole: dict[str, Any] = _nullable({"schemas": one["schemas"], "allOf": [schema]})
        registry = Registry[Any]()  # which fetches nothing
        judge: Any = Draft202012Validator(whole, registry=registry)
        error = next(judge.iter_errors(value), None)
        if error is not None:
            return f"{error.json_path} of its answer: {error.message}"
    return "" if one["response"] is None else _lacks(value, one["response"], "$")


def _nullable(schema: Any) -> Any:
    """Return a schema in which OpenAPI's ``nullable`` is what JSON Schema calls a type of null."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]  # pyright: ignore[reportUnknownVariableType] JSON
    if not isinstance(schema, dict):
        return schema
    members: dict[str, Any] = schema  # pyright: ignore[reportUnknownVariableType] JSON
    made = {name: _nullable(one) for name, one in members.items() if name != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if members.get("nullable") is True else made


def _lacks(value: Any, wanted: Any, place: str) -> str:
    """Say which member of an example's response an answer does not hold."""
    if not isinstance(wanted, dict):
        if value == wanted:
            return ""
        return f"{place} of its answer is {json.dumps(value)[:100]}, and {json.dumps(wanted)[:100]} is expected"
    if not isinstance(value, dict):
        return f"{place} of its answer is no object"
    expected: dict[str, Any] = wanted  # pyright: ignore[reportUnknownVariableType] JSON
    there: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] JSON
    said = (_lacks(there.get(name), one, f"{place}.{name}") for name, one in expected.items())
    return next((one for one in said if one), "")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
