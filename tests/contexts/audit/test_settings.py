"""Variables and ports of hand-ins: what is certain blocks, the rest is told."""

from typing import Any

import pytest

from contexts.audit import SourceDocument, audit
from tests.contexts.building import context


def told(**tracks: Any) -> list[tuple[str, str]]:
    documents = [
        SourceDocument(
            f"tracks/{name}", context(f"w-{name}", task_id=name, parent_workflow_id="w", contracts=contracts).to_json()
        )
        for name, contracts in tracks.items()
    ]
    return [(one.rule, one.severity) for one in audit(documents).findings]


def ports(*given: Any) -> Any:
    return {"ports": list(given)}


API = {"number": 8080, "name": "api"}


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ({"provides": ports(API)}, {"assumes": ports(API)}, []),
        ({"provides": ports(API)}, {"assumes": ports({"number": 8081, "name": "API"})}, [("contracts/port", "blocking")]),
        ({"provides": ports(API)}, {"assumes": ports({"number": 5432, "name": "database"})}, []),
        ({"provides": ports(API)}, {"provides": ports({"number": 8080, "name": "web"})}, [("contracts/port", "blocking")]),
        ({"provides": ports(API)}, {"provides": ports(API)}, []),
        ({"provides": {"variables": [{"name": "A", "default": 1}]}}, {"provides": {"variables": [{"name": "A", "default": "1"}]}}, []),
        ({"provides": {"variables": [{"name": "A", "default": 1}]}}, {"provides": {"variables": [{"name": "A", "default": "2"}]}}, [("contracts/variable", "blocking")]),
        ({"provides": {"variables": [{"name": "A", "default": 1}, {"name": "A", "default": 2}]}}, {}, []),
        ({"provides": {"variables": [{"name": "B"}]}}, {"assumes": {"variables": [{"name": "A", "required": True}]}}, [("contracts/variable-unset", "note")]),
        ({"provides": {"variables": [{"name": "B"}]}}, {"assumes": {"variables": [{"name": "A", "required": True, "default": "x"}]}}, []),
        ({"provides": ports({"number": "8080"}, 3, {"number": 99999})}, {"assumes": {"ports": "all", "variables": [1]}}, []),
    ],
)  # fmt: skip
def test_two_tracks_on_one_setting(a: Any, b: Any, found: list[tuple[str, str]]) -> None:
    assert [one for one in told(one=a, two=b) if one[0] not in {"contracts/unread", "contracts/entry"}] == found


def test_an_entry_of_another_form_is_warned_of_with_its_place() -> None:
    odd = {"provides": {"ports": [{"number": "8080"}, API], "files": [{"path": "../x"}]}, "assumes": {"variables": [1]}}
    assert [one for one in told(one=odd) if one[0] == "contracts/entry"] == [("contracts/entry", "warning")] * 3
