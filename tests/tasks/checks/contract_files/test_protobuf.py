"""Protobuf: messages by descriptors, two sides compared by field number."""

from typing import Any

import pytest

from tests.tasks.checks.contract_files.conftest import Read, said

COMMON = 'syntax = "proto3";\npackage shop;\nenum Kind { NONE = 0; PEN = 1; }\n'
PROVIDER = """
syntax = "proto3";
package shop;
import "shop/common.proto";
import "google/protobuf/timestamp.proto";
message Item {
  string id = 1;
  int32 price = 2;
  repeated string tags = 3;
  Kind kind = 4;
  map<string, Part> parts = 5;
  google.protobuf.Timestamp made = 6;
}
message Part { int64 size = 1; }
message Get { string id = 1; }
service Items { rpc GetItem(Get) returns (Item); }
"""
CONSUMER = 'syntax = "proto3";\npackage shop;\nmessage Item {\n  string id = 1;\n  int32 price = 2;\n  repeated string tags = 3;\n}\n'


def pair(read: Read, consumer: str) -> Any:
    files = {"proto/shop/common.proto": COMMON, "proto/shop/items.proto": PROVIDER, "web/items.proto": consumer}
    tracks = {
        "api": {"provides": [{"path": "proto/shop/items.proto"}]},
        "web": {"assumes": [{"path": "web/items.proto"}]},
    }
    return read(files, tracks)


def test_methods_are_operations_and_an_honest_consumer_fits(read: Read) -> None:
    told = pair(read, CONSUMER)
    assert said(told) == []
    got = told.report.files[0].read
    assert got["operations"] == [
        {
            "operation": "shop.Items/GetItem",
            "request": {"$ref": "#/schemas/shop.Get"},
            "message": {"$ref": "#/schemas/shop.Item"},
        }
    ]
    assert got["schemas"]["shop.Item"]["properties"] == {
        "id": {"type": "string"},
        "price": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "kind": {"type": "string", "enum": ["NONE", "PEN"]},
        "parts": {"type": "object", "additionalProperties": {"$ref": "#/schemas/shop.Part"}},
        "made": {"type": "string", "format": "date-time"},
    }


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("int32 price = 2", "string price = 2", "contracts/type", "web/items.proto line 5: field 2 of shop.Item, price, is string here and int32 at"),
        ("int32 price = 2", "int32 cost = 2", "contracts/field", "field 2 of shop.Item is cost here and price at"),
        ("int32 price = 2", "int32 price = 9", "contracts/field", "field 9 of shop.Item, price, is unknown to"),
        ("repeated string tags", "string tags", "contracts/type", "is string here and repeated string at"),
        ("message Item", "enum Kind { NONE = 0; BOOK = 1; }\nmessage Item", "contracts/type", "value 1 of shop.Kind is BOOK here and PEN at"),
        ("message Item", "message Cup { int32 a = 1; }\nmessage Item", "contracts/field", "no provider's .proto has the message shop.Cup"),
    ],
)  # fmt: skip
def test_every_mismatch_is_found_by_its_number(read: Read, old: str, new: str, rule: str, message: str) -> None:
    told = pair(read, CONSUMER.replace(old, new))
    ((found, text),) = said(told)
    assert (found, message in text) == (rule, True), text
    assert told.findings[0].severity == "blocking"


def test_a_field_the_provider_requires_is_missed(read: Read) -> None:
    files = {
        "a.proto": 'syntax = "proto2"; package a; message A { required string id = 1; required int32 n = 2; }',
        "b.proto": 'syntax = "proto2"; package a; message A { required string id = 1; }',
    }
    told = read(files, {"api": {"provides": [{"path": "a.proto"}]}, "web": {"assumes": [{"path": "b.proto"}]}})
    ((rule, message),) = said(told)
    assert (rule, "field 2 of a.A, n, is required by the provider" in message) == ("contracts/field", True)


def test_what_does_not_compile_is_said(read: Read) -> None:
    told = read(
        {"a.proto": 'syntax = "proto3"; import "../../etc/passwd"; message A {'},
        {"api": {"provides": [{"path": "a.proto"}]}},
    )
    assert "a.proto" in told.report.files[0].read["unread"]
    assert [rule for rule, _ in said(told)] == ["contracts/unread"]
