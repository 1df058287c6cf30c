"""The house stays one in which a module is found: few rooms on the first floor, each with a sign, none too large."""

import ast
import re

import pytest

from benchmarks.structure import PACKAGES, modules, rooms
from tests.servers import ROOT

FIRST_FLOOR = {"contexts": (5, 13), "tasks": (9, 11), "flows": (4, 4)}
"""How many modules and folders each package may have."""
LONGEST = 350


@pytest.mark.parametrize("package", PACKAGES)
def test_the_first_floor_has_few_rooms(package: str) -> None:
    files, folders = rooms(ROOT / package)
    assert (len(files) <= FIRST_FLOOR[package][0], len(folders) <= FIRST_FLOOR[package][1]) == (True, True)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_architectures_page_names_every_room_and_no_other(package: str) -> None:
    page = (ROOT / "docs" / "contributing" / "architecture.md").read_text(encoding="utf-8")
    tables = page.partition(f"**`{package}/`**")[2].partition("**`")[0].partition("`import-linter`")[0]
    rows = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    files, folders = rooms(ROOT / package)
    named = re.findall(r"`([\w/]+(?:\.py)?)`", " ".join(rows))
    assert sorted(named) == sorted([*(f"{name}.py" for name in files), *(f"{name}/" for name in folders)])


def test_every_room_says_what_it_is_for_and_what_it_imports() -> None:
    signs = sorted({path.parent / "__init__.py" for path in modules(ROOT)})
    said = {sign: ast.get_docstring(ast.parse(sign.read_text(encoding="utf-8"))) or "" for sign in signs}
    assert [sign for sign, text in said.items() if not re.search(r"\bimports\b", text, re.IGNORECASE)] == []


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(ROOT)}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}
