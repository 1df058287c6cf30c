"""Groups, nested as deep as one likes, are merged as tasks of their own, and change nothing of the result."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.chaos.running import Place, plait, torn
from tests.chaos.test_kill_points import without_times
from tests.waiting import PATIENCE

TRACKS = {f"t{number}": [f"write=t{number}.txt", "cost=1"] for number in range(6)}
NESTED = [
    {"id": "outer", "tracks": ["t0"], "groups": [
        {"id": "middle", "tracks": ["t1", "t5"], "groups": [{"id": "inner", "tracks": ["t3", "t2"]}]},
        {"id": "beside", "tracks": ["t4"]},
    ]},
]  # fmt: skip
COUNTED = {"tracks", "files"}
"""Units of metrics that do not depend on how long anything took."""


def final(place: Place, **more: Any) -> dict[str, Any]:
    checks = [{"id": "listing", "argv": ["{python}", "-S", "-c", "pass"]}]
    place.write_spec(TRACKS, repository=True, verification={"checks": checks}, **more)
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 0, ended.err
    assert torn(place.store) == []
    return place.store.expand("feature", place.store.require("feature")[1])


def counted(document: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in document["metrics"]["metrics"] if one["unit"] in COUNTED}


def test_nested_groups_end_as_the_flat_merge_and_count_everything_once(new_place: Callable[[str], Place]) -> None:
    flat, nested = new_place("flat"), new_place("nested")
    plain, grouped = final(flat), final(nested, groups=NESTED)
    assert without_times(plain) == without_times(grouped)
    assert counted(plain) == counted(grouped)
    assert counted(plain)
    assert grouped["metrics"]["total_files_modified"] == len(TRACKS)
    assert {name for name in nested.store.revisions("feature") if name.startswith("groups/")} == {
        "groups/outer", "groups/middle", "groups/inner", "groups/beside",
    }  # fmt: skip
    assert not [name for name in flat.store.revisions("feature") if name.startswith("groups/")]
    _, middle = nested.store.require("feature", "groups/middle")
    assert middle["files_modified"] == ["t1.txt", "t2.txt", "t3.txt", "t5.txt"], (
        "its own and those inside, in spec order"
    )
    found = httpx.post(
        f"{nested.server.url}/task_runs/filter", json={"limit": 200, "sort": "ID_DESC"}, timeout=PATIENCE
    ).json()
    assert {"merge feature · inner", "merge feature · outer"} <= {one["name"] for one in found}
