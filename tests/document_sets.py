"""Sets of context documents: a workflow's parent, its tracks, their merge and its verification, a file each.

Those of the project are the audit's corpora without a defect; what is tested on them is tested on the reference as well.
A test takes them by the fixture `documents`.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.reference import DOCUMENTS

CORPORA = Path(__file__).parent / "contexts" / "audit" / "corpora"
OWN = ("booking", "delivery", "learning", "mobile", "orders", "search")
"""The corpora whose parent is a spec; in the others ids and criteria have forms that the audit alone reads."""


@dataclass(frozen=True)
class DocumentSet:
    """A folder of documents; nothing is read before a test asks for it."""

    folder: Path

    @property
    def paths(self) -> list[Path]:
        """Its files in the order they were written in, which their names begin with."""
        found = sorted(self.folder.glob("[0-9]-*.json"))
        assert len(found) > 3, f"{self.folder} has no parent, tracks, merge and verification"
        return found

    @property
    def parent(self) -> Path:
        return self.paths[0]

    @property
    def tracks(self) -> list[Path]:
        return self.paths[1:-2]

    @property
    def merged(self) -> Path:
        return self.paths[-2]

    @property
    def verified(self) -> Path:
        return self.paths[-1]

    def copy_to(self, folder: Path) -> "DocumentSet":
        """Copy the documents alone: beside those of the audit lies what it is expected to find.

        Some of those name who approved and no more; their copy says what plait asks for besides.
        """
        folder.mkdir()
        for path in self.paths:
            document = read(path)
            if "approvals" in document and path.is_relative_to(CORPORA):
                more = {"subject": "deployment", "note": "seen", "timestamp": document["timestamp"]}
                document["approvals"] = [more | one for one in document["approvals"]]
                (folder / path.name).write_text(json.dumps(document, indent=2), encoding="utf-8")
            else:
                shutil.copy(path, folder)
        return DocumentSet(folder)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def each_once(items: Iterable[Any]) -> list[Any]:
    """Return the items in their order, an equal one not again, as a merge lists what two tracks say alike."""
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def own(name: str) -> Any:
    """Return one of the project's sets as a test's parameter."""
    return pytest.param(DocumentSet(CORPORA / name / "clean"), id=name)


REFERENCE = pytest.param(DocumentSet(DOCUMENTS), id="reference", marks=pytest.mark.reference)
SETS = [*map(own, OWN), REFERENCE]
"""What the fixture `documents` gives: each of the project's, and the reference."""
