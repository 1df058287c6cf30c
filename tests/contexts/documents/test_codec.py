from __future__ import annotations

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.documents.codec import (
    CHECKSUM,
    canonical,
    check_version,
    checksum,
    parse,
    parse_object,
    seal,
    unseal,
    validate,
)
from contexts.errors import ChecksumMismatch, DocumentError, NewerVersion
from contexts.json.pointer import pointer, resolve

HEAD = {
    "version": "1.0",
    "workflow_id": "feature",
    "timestamp": "2026-01-15T09:00:00Z",
    "current_agent": "orchestrator",
    "phase": "parallel-execution",
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_whatever_json_can_say_is_read_as_it_is_however_it_is_written(value: Any) -> None:
    for raw in (
        orjson.dumps(value),
        orjson.dumps(value, option=orjson.OPT_INDENT_2),
        json.dumps(value).encode(),
        json.dumps(value, indent=3, ensure_ascii=False).encode(),
    ):
        assert orjson.dumps(parse(raw)) == orjson.dumps(value)


@given(st.dictionaries(texts, values, min_size=1, max_size=4), st.data())
def test_a_key_given_twice_is_refused_wherever_and_however_it_is_written(value: dict[str, Any], data: Any) -> None:
    twice = data.draw(st.sampled_from(sorted(value)))
    again = data.draw(values)
    body = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    extra = f"{json.dumps(twice, ensure_ascii=data.draw(st.booleans()))}: {json.dumps(again)}"
    inner = f"{body[:-1]}, {extra}}}"
    raw = data.draw(st.sampled_from([inner, f'{{"outer": [1, {inner}]}}', f'["::", {inner}]']))
    with pytest.raises(DocumentError, match="twice"):
        parse(raw.encode())


@pytest.mark.parametrize(
    "raw",
    [
        rb'{"a":"\u003a","b":1,"b":2}',
        rb'{"a":"\u003A","b":1,"b":2}',
        rb'{"a\u003a":0,"b":1,"b":2}',
        rb'{"a":1,"\u0061":2}',
        b'{"a":"x","a":"y:z"}',
        b'{"a":{"b":[{"c":1,"c":1}]}}',
        b'{"a":1,"a":1e5}',
        b'{ "a" : 1 , "a" : 1 }',
        b'{"":1,"":2}',
    ],
)
def test_a_duplicate_key_is_found_behind_escapes_colons_and_nesting(raw: bytes) -> None:
    with pytest.raises(DocumentError, match="twice"):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"18446744073709551616",
        b"-9223372036854775809",
        b'{"a":[1,{"b":123456789012345678901234567890123456789}]}',
        b"[1, 99999999999999999999]",
        b'{"id": 18446744073709551616}',
    ],
)
def test_an_integer_beyond_64_bits_is_refused_with_the_advice_to_write_a_string(raw: bytes) -> None:
    with pytest.raises(DocumentError, match="write it as a string"):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"0.12345678901234567890123456789", 0.12345678901234568),
        (b"12345678901234567890.5", 12345678901234567890.5),
        (b"1e300", 1e300),
        (b"1E+2", 100.0),
        (b'"12345678901234567890123"', "12345678901234567890123"),
        (rb'{"a\\u003a":":::"}', {"a\\u003a": ":::"}),
        (rb'{"a":"\u003a\u003a"}', {"a": "::"}),
        (b'{"a":{"k":1},"b":{"k":1}}', {"a": {"k": 1}, "b": {"k": 1}}),
    ],
)
def test_what_only_looks_suspicious_is_read(raw: bytes, value: Any) -> None:
    assert parse(raw) == value


@pytest.mark.parametrize(
    "raw",
    [b"NaN", b"[Infinity]", b"-Infinity", b"1e400", b'{"a":-1e999}', b"", b"{", b"{'a':1}", b"\xff", b'"\\ud800"'],
)
def test_what_is_not_json_is_refused_with_its_place(raw: bytes) -> None:
    with pytest.raises(DocumentError, match=r"is not JSON: .*line \d+, column \d+"):
        parse(raw, "context.json")


def test_deep_nesting_is_refused_and_shallow_nesting_is_not() -> None:
    assert parse(b"[" * 200 + b"]" * 200)
    for depth in (300, 1000, 5000, 500_000):
        with pytest.raises(DocumentError, match=r"deep|depth"):
            parse(b"[" * depth + b"]" * depth)
        with pytest.raises(DocumentError, match=r"deep|depth"):
            parse(b'{"a":' * depth + b"1" + b"}" * depth)


def test_a_document_is_an_object() -> None:
    with pytest.raises(DocumentError, match="top level is not an object"):
        parse_object(b"[1]")


@given(st.dictionaries(texts, values, max_size=5))
def test_the_checksum_depends_on_content_and_not_on_the_order_of_fields(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert checksum(value) == checksum(turned) == checksum({**value, CHECKSUM: "whatever"})
    assert canonical(value) == canonical(turned)
    assert checksum({**value, "another": 1}) != checksum(value) or value.get("another") == 1


@given(st.dictionaries(texts.filter(lambda key: key != CHECKSUM), values, max_size=5))
def test_a_sealed_document_is_unsealed_value_for_value(value: dict[str, Any]) -> None:
    document = {**value, **HEAD}
    body, proof = seal(document)
    back = unseal(body, expected=proof)
    assert back.pop(CHECKSUM) == proof
    assert orjson.dumps(back) == orjson.dumps(document)


def test_a_changed_cut_or_foreign_body_is_refused() -> None:
    body, proof = seal({**HEAD, "decisions": ["Use REST"]})
    for damaged in (body.replace(b"REST", b"SOAP"), body[:-1], body[: len(body) // 2], b"", orjson.dumps(HEAD)):
        with pytest.raises(ChecksumMismatch):
            unseal(damaged)
    other, _ = seal({**HEAD, "decisions": ["Use SOAP"]})
    with pytest.raises(ChecksumMismatch):
        unseal(other, expected=proof)


def test_every_single_changed_byte_is_noticed() -> None:
    body, _ = seal({**HEAD, "n": [1, 2.5, None, True, "ä"]})
    for place in range(len(body)):
        with pytest.raises(ChecksumMismatch):
            unseal(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])


@pytest.mark.parametrize("value", [math.nan, math.inf, [{"deep": -math.inf}], (1.0, math.nan)])
def test_numbers_json_cannot_hold_are_refused_and_not_written_as_null(value: Any) -> None:
    with pytest.raises(DocumentError, match="NaN or infinity"):
        seal({**HEAD, "value": value})


@pytest.mark.parametrize("value", [2**64, {1: 2}, "\ud800", object(), {1, 2}])
def test_other_values_json_cannot_hold_are_refused(value: Any) -> None:
    with pytest.raises(DocumentError, match="cannot be written as JSON"):
        seal({**HEAD, "value": value})


@pytest.mark.parametrize("version", ["2.0", "10.0", "2.7"])
def test_a_newer_major_version_is_refused(version: str) -> None:
    with pytest.raises(NewerVersion, match="update plait"):
        check_version(version)
    with pytest.raises(NewerVersion):
        validate({**HEAD, "version": version})
    body, _ = seal({**HEAD, "version": version})
    with pytest.raises(NewerVersion):
        unseal(body)


def test_a_newer_minor_version_is_read() -> None:
    body, _ = seal({**HEAD, "version": "1.9", "new": 1})
    assert unseal(body)["new"] == 1


@pytest.mark.parametrize("version", [None, 1, 1.0, "", "1", "1.", "one.two", "1.0.0", "-1.0", "1.0 ", "\u0661.0", [1]])
def test_a_version_that_is_none_is_refused_with_its_pointer(version: Any) -> None:
    with pytest.raises(DocumentError) as caught:
        check_version(version)
    assert caught.value.pointer == "/version"


def test_an_older_major_version_is_refused_because_there_was_none() -> None:
    with pytest.raises(DocumentError, match="no step leads on"):
        check_version("0.9")


def test_a_wrong_field_is_named_by_a_pointer_that_exists() -> None:
    bad: dict[str, Any] = {
        **HEAD,
        "decisions": ["fine", {"topic": "api", "choice": 5}, {"topic": "db"}],
        "files_modified": ["/etc/passwd"],
        "error_log": [{"error": "x", "timestamp": "yesterday"}],
    }
    with pytest.raises(DocumentError) as caught:
        validate(bad, "context.json")
    text = caught.value.message
    for place in ("/decisions/1/choice:", "/files_modified/0:", "/error_log/0/timestamp:"):
        assert place in text
    assert "DecisionRecord" not in text


def test_many_wrong_fields_are_told_five_at_a_time() -> None:
    with pytest.raises(DocumentError, match=r"\(and 3 more\)"):
        validate({**HEAD, "files_modified": [f"/{number}" for number in range(8)]})


def test_a_document_too_deep_to_check_is_refused() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(DocumentError, match="deep"):
        validate({**HEAD, "x": deep})
    deep = 1
    for _ in range(230):
        deep = [deep]
    with pytest.raises(DocumentError, match="recursion"):
        validate({**HEAD, "x": deep})


@given(values)
def test_every_place_of_a_value_is_resolved_by_its_pointer(value: Any) -> None:
    def walk(node: Any, path: tuple[str | int, ...]) -> None:
        assert resolve(value, pointer(*path)) is node
        if isinstance(node, dict):
            for key, inner in node.items():
                walk(inner, (*path, key))
        elif isinstance(node, list):
            for index, inner in enumerate(node):
                walk(inner, (*path, index))

    walk(value, ())


@pytest.mark.parametrize(
    "path", ["/b", "/a/2", "/a/-", "/a/01", "/a/x", "/a/0/y", "a", "/a/ 0", "/a/\u0661", "/a/-1", "/"]
)
def test_a_pointer_that_leads_nowhere_is_a_key_error(path: str) -> None:
    with pytest.raises(KeyError):
        resolve({"a": ["x", "y"]}, path)


def test_pointers_escape_tilde_and_slash() -> None:
    assert pointer("a/b", "~1", 0) == "/a~1b/~01/0"
    assert resolve({"a/b": {"~1": [7]}}, "/a~1b/~01/0") == 7
