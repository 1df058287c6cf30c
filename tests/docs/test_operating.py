"""Every row of the table of what survives what is shown by tests that exist."""

import re

import pytest

from tests.servers import ROOT

FOLDERS = ("tests/chaos", "tests/contexts/stores")


def rows() -> list[tuple[str, str]]:
    """Return what happens and what shows it, for each row of the first table."""
    page = (ROOT / "docs" / "guides" / "operating.md").read_text(encoding="utf-8")
    table = page.split("## What survives what")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [(cells[1].strip(), cells[-2]) for cells in (line.split("|") for line in lines)]


def named(shown_by: str) -> list[tuple[str, str]]:
    """Return file and test, empty for the whole file, of everything a row names."""
    found: list[tuple[str, str]] = []
    for name in re.findall(r"`([^`]+)`", shown_by):
        file, _, test = name.partition("::")
        if file.endswith(".py") or not file:
            found.append((file or found[-1][0], test))
    return found


@pytest.mark.parametrize(("what", "shown_by"), rows(), ids=[what for what, _ in rows()])
def test_every_row_names_a_test_that_exists(what: str, shown_by: str) -> None:
    tests = named(shown_by)
    assert tests, f"{what}: no test is named"
    for file, test in tests:
        places = [ROOT / file, *(ROOT / folder / file for folder in FOLDERS)]
        path = next((one for one in places if one.is_file()), None)
        assert path, f"{what}: there is no {file}"
        assert not test or f"def {test}(" in path.read_text(encoding="utf-8"), f"{what}: {file} has no {test}"
