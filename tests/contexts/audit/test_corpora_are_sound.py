"""The planted-defect documents themselves are in order; what the audit makes of them is tested elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

CORPORA = Path(__file__).parent / "corpora"
CASES = sorted(path.parent for path in CORPORA.glob("*/*/expected.json"))
DOMAINS = sorted({case.parent.name for case in CASES})
FAMILIES = {"contracts", "assumptions", "thresholds", "arithmetic", "fidelity", "claims", "references", "time"}


def label(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def load(path: Path) -> Any:
    def refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = Counter(name for name, _ in pairs)
        assert max(names.values(), default=1) == 1, f"{path}: duplicate keys in {names}"
        return dict(pairs)

    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=refuse_duplicates)


def resolve(document: Any, pointer: str) -> Any:
    value = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def expected(case: Path) -> list[dict[str, Any]]:
    return load(case / "expected.json")


def documents(case: Path) -> dict[str, Any]:
    return {path.name: load(path) for path in sorted(case.glob("*.json")) if path.name != "expected.json"}


def test_there_are_ten_domains_with_a_clean_a_harmless_and_two_defect_sets_each() -> None:
    assert DOMAINS == [
        "billing",
        "booking",
        "delivery",
        "files",
        "learning",
        "mobile",
        "orders",
        "search",
        "telemetry",
        "warehouse",
    ]
    for domain in DOMAINS:
        names = {case.name for case in CASES if case.parent.name == domain}
        assert {"clean", "harmless", "defects-a", "defects-b"} <= names


@pytest.mark.parametrize("case", CASES, ids=label)
def test_every_pointer_of_a_defect_resolves(case: Path) -> None:
    read = documents(case)
    for defect in expected(case):
        assert defect["where"], defect["id"]
        for file, pointer in defect["where"]:
            assert pointer.startswith("/"), defect["id"]
            resolve(read[file], pointer)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_a_defect_says_what_it_is_in_the_agreed_form(case: Path) -> None:
    for defect in expected(case):
        assert set(defect) == {"id", "family", "where", "what", "decidable"}
        assert defect["family"] in FAMILIES
        assert isinstance(defect["decidable"], bool)
        assert defect["what"].endswith((".", ")"))


@pytest.mark.parametrize("case", CASES, ids=label)
def test_clean_and_harmless_sets_expect_nothing_and_defect_sets_something(case: Path) -> None:
    assert bool(expected(case)) == case.name.startswith("defects-")


@pytest.mark.parametrize("case", CASES, ids=label)
def test_a_set_goes_from_its_parent_over_its_tracks_to_merge_and_verification(case: Path) -> None:
    read = list(documents(case).values())
    parent, tracks, merged, verified = read[0], read[1:-2], read[-2], read[-1]
    assert [task["task_id"] for task in parent["parallel_tasks"]] == [track["task_id"] for track in tracks]
    planted = {
        file for defect in expected(case) for file, pointer in defect["where"] if pointer == "/parent_workflow_id"
    }
    kept = [track for name, track in documents(case).items() if "task_id" in track and name not in planted]
    assert {track["parent_workflow_id"] for track in kept} == {parent["workflow_id"]}
    assert merged["workflow_id"] == verified["workflow_id"] == parent["workflow_id"]


def test_defect_ids_are_unique_over_all_sets() -> None:
    ids = Counter(defect["id"] for case in CASES for defect in expected(case))
    assert [name for name, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_family_that_compares_documents_occurs_at_least_twice_in_a_domain(domain: str) -> None:
    counts = Counter(defect["family"] for case in CASES if case.parent.name == domain for defect in expected(case))
    assert {
        family for family in FAMILIES - {"arithmetic", "claims", "thresholds", "time"} if counts[family] < 2
    } == set()


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("defects-")], ids=label)
def test_at_a_planted_place_something_differs_from_the_clean_set_or_was_lost_from_the_merge(case: Path) -> None:
    clean, read = documents(case.parent / "clean"), documents(case)
    merged = list(read)[-2]

    def planted(file: str, pointer: str) -> bool:
        value = resolve(read[file], pointer)
        try:
            if resolve(clean[file], pointer) != value:
                return True
        except (KeyError, IndexError):
            return True
        text = json.dumps(value)
        return json.dumps(read[merged]).count(text) < json.dumps(clean[merged]).count(text)

    for defect in expected(case):
        assert any(planted(file, pointer) for file, pointer in defect["where"]), defect["id"]
