"""Compatibility has a direction: what is read must be answered, what is required must be sent."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.contracts import Mismatch, compare, matrix, read_contracts


def found(asked: dict[str, Any], given: dict[str, Any], fields: str = "", taken: str = "") -> tuple[Mismatch, ...]:
    schemas = {"Out": {"fields": fields}} if fields else {}
    schemas |= {"In": {"fields": taken}} if taken else {}
    endpoint = {**({"response_model": "Out"} if fields else {}), **({"request_model": "In"} if taken else {}), **given}
    (consumer,) = read_contracts("ui.json", {"api_contract_assumptions": {"PUT /items/:id": asked}})
    (provider,) = read_contracts(
        "api.json", {"implementation_details": {"endpoints": {"PUT /items/{item_id}": endpoint}, "schemas": schemas}}
    )
    return compare(consumer, provider)


def reading(expected: str, fields: str) -> list[str]:
    return [mismatch.kind for mismatch in found({"response": expected}, {}, fields=fields) if mismatch.certain]


def sending(sent: str, taken: str) -> list[str]:
    return [mismatch.kind for mismatch in found({"request": sent}, {}, taken=taken) if mismatch.certain]


@pytest.mark.parametrize(
    ("expected", "fields", "kinds"),
    [
        ("{ id: string }", "id: UUID, extra: int", []),  # a superset
        ("{ id: string, at: string, mail: string, on: string, link: string }",
         "id: UUID, at: datetime, mail: EmailStr, on: date, link: HttpUrl", []),  # strings on the wire
        ("{ n: number }", "n: int", []),
        ("{ n: number }", "n: float", []),
        ("{ n: integer }", "n: float", ["type"]),
        ("{ id: string, name: string }", "id: str", ["missing-field"]),
        ("{ id: string, name?: string }", "id: str", []),
        ("{ id: number }", "id: str", ["type"]),
        ("{ id: string }", "id: Optional[str]", ["nullability"]),
        ("{ id: string | null }", "id: str", []),
        ("{ id: string | null }", "id: Optional[str]", []),
        ("{ s: 'a' | 'b' }", "s: Literal['a', 'b', 'c']", ["enum"]),
        ("{ s: 'a' | 'b' | 'c' }", "s: Literal['a', 'b']", []),
        ("{ s: string }", "s: Literal['a', 'b']", []),
        ("{ id: uuid }", "id: EmailStr", ["format"]),
        ("{ xs: string[] }", "xs: list[int]", ["type"]),
        ("{ xs: string[] }", "xs: str", ["type"]),
        ("{ o: { a: string, b: number } }", "o: dict", []),
        ("{ s: string | number }", "s: int", []),
        ("{ s: string }", "s: Union[str, int]", ["type"]),
    ],
)  # fmt: skip
def test_what_a_consumer_reads_must_be_offered(expected: str, fields: str, kinds: list[str]) -> None:
    assert reading(expected, fields) == kinds


@pytest.mark.parametrize(
    ("sent", "taken", "kinds"),
    [
        ("{ name: string }", "name: str", []),
        ("{ name: string, extra: string }", "name: str", []),  # ignored by the provider
        ("{ }", "name: str", []),  # "some object" says nothing about its members
        ("{ age: number }", "name: str, age: int", ["missing-request-field"]),
        ("{ name?: string }", "name: str", ["optionality"]),
        ("{ name: string }", "name: str, note: Optional[str]", []),
        ("{ name: string }", "name: str, limit: int = 10", []),
        ("{ name: string | null }", "name: str", ["nullability"]),
        ("{ name: string }", "name: Optional[str]", []),
        ("{ s: 'a' | 'x' }", "s: Literal['a', 'b']", ["enum"]),
        ("{ s: 'a' }", "s: Literal['a', 'b']", []),
        ("{ n: string }", "n: int", ["type"]),
        ("{ n: int }", "n: float", []),
        ("{ name: string (max 200) }", "name: str (max 100)", ["limit"]),
        ("{ name: string (max 80) }", "name: str (max 100)", []),
        ("{ name: string (min 0) }", "name: str (min 1)", ["limit"]),
    ],
)
def test_what_a_provider_requires_must_be_sent(sent: str, taken: str, kinds: list[str]) -> None:
    assert sending(sent, taken) == kinds


def test_every_handled_code_must_be_declared_and_more_declared_ones_are_fine() -> None:
    mismatches = found({"error_codes": [404, 410]}, {"error_codes": [404, 500]})
    assert [(m.kind, m.consumer) for m in mismatches] == [
        ("status-code", "/api_contract_assumptions/PUT ~1items~1:id/error_codes/1")
    ]
    assert found({"error_codes": [404]}, {"error_codes": [404, 500]}) == ()


def test_codes_that_the_providers_words_imply_are_notes() -> None:
    words = {"auth": "Required (JWT)", "permissions": "Only the owner", "validation": "Email uniqueness, max 5MB, png only",
             "rate_limit": "10 per hour", "error_codes": [400]}  # fmt: skip
    mismatches = found(
        {"request": "multipart/form-data", "error_codes": [400]}, {**words, "request": "multipart/form-data"}
    )
    assert {m.kind for m in mismatches} == {"code-implied"}
    assert {m.message.split("can answer ")[1][:3] for m in mismatches} == {"401", "403", "409", "413", "415", "429"}
    assert not any(m.certain for m in mismatches)
    handled = [400, 401, 403, 409, 413, 415, 429]
    told = found({"error_codes": handled}, {**words, "error_codes": handled, "request": "multipart/form-data"})
    assert [m for m in told if m.kind == "code-implied"] == []


def test_sizes_file_types_media_types_and_authentication_are_compared() -> None:
    given = {"request": "multipart/form-data", "validation": "Max 5MB, jpg/png only", "auth": "Required (JWT)"}
    asked = {"request": "multipart/form-data", "validation": "max 8MB, jpg/gif files", "auth": "none"}
    assert {m.kind for m in found(asked, given) if m.certain} == {"size", "file-type", "auth"}
    fitting = {"request": "multipart/form-data", "validation": "max 4MB, png only", "auth": "JWT"}
    assert [m for m in found(fitting, given) if m.certain] == []
    assert {m.kind for m in found({"request": "application/json"}, given) if m.certain} == {"media-type"}


@pytest.mark.parametrize("unread", ["{ id: string", "query { item }", "as discussed", "{ ...Base }", "Item"])
def test_what_cannot_be_read_is_unknown_and_never_aligned(unread: str) -> None:
    mismatches = found({"response": unread}, {}, fields="id: str")
    assert [m.kind for m in mismatches] == ["unknown"]
    contracts = [
        *read_contracts("ui.json", {"api_contract_assumptions": {"GET /a": {"response": unread}}}),
        *read_contracts("api.json", {"implementation_details": {"endpoints": {"GET /a": {"response": "str"}}}}),
    ]
    assert matrix(contracts) == {("ui.json", "api.json"): {"GET /a": "unknown"}}


def test_a_mismatch_points_at_both_sides() -> None:
    (mismatch,) = found({"response": "{ name: string }"}, {}, fields="name: int")
    assert mismatch.consumer == "/api_contract_assumptions/PUT ~1items~1:id/response"
    assert mismatch.provider == "/implementation_details/schemas/Out/fields"
    assert mismatch.field == "name"
