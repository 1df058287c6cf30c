"""Models and what is written agree: every field of plait's own records has a writer and a reader.

By name: a field counts as read where anything is asked for a member of that name. What this cannot see is held by
`tests.contexts.building.unknown_members` on the documents of real runs.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from benchmarks.structure import modules
from contexts.documents.base import Open
from contexts.documents.context import Context
from tests.contexts.building import OF_AGENTS_AND_USERS
from tests.servers import ROOT

FOR_PEOPLE = {"Migrations": {"from_nothing", "from_base", "down_and_up"}, "TrackShare": {"unmeasured"}}
"""Fields that nothing of plait's reads: they are for whoever reads the document, or `plait show --json`."""


def records() -> list[type[Open]]:
    """Return every model of what plait writes that a context leads to, the context itself not among them."""
    found: dict[type[Open], None] = {}
    waiting: list[type[BaseModel]] = [Context]
    while waiting:
        model = waiting.pop()
        for field in model.model_fields.values():
            for one in named_in(field.annotation):
                if issubclass(one, Open) and one not in found and one not in OF_AGENTS_AND_USERS:
                    found[one] = None
                    waiting.append(one)
    return sorted(found, key=lambda one: one.__name__)


def named_in(annotation: object) -> list[type]:
    inner = [one for part in get_args(annotation) for one in named_in(part)]
    return [annotation, *inner] if isinstance(annotation, type) else inner


@cache
def written() -> tuple[dict[str, set[str]], set[str]]:
    """Return the fields given where each model is made, and those given to a copy of any or put together by name."""
    made: defaultdict[str, set[str]] = defaultdict(set)
    changed: set[str] = set(named())
    for tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            names = {one.arg for one in node.keywords if one.arg}
            names |= {key.value for one in node.keywords if not one.arg for key in keys(one.value)}
            if isinstance(node.func, ast.Name):
                made[node.func.id] |= names
            elif isinstance(node.func, ast.Attribute) and node.func.attr == "changed":
                changed |= names
    return made, changed


def keys(value: ast.AST) -> list[ast.Constant]:
    """Return the texts that are keys of a literal, also where it was put together before: ``**changes``."""
    return [one for one in ast.walk(value) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


@cache
def named() -> set[str]:
    """Return every word that programs hold as a text: a member that is put into or taken out of JSON by its name."""
    return {one.value for tree in trees(without=ROOT / "contexts" / "documents") for one in keys(tree)}


@cache
def read() -> set[str]:
    """Return every name that is taken from anything, in programs but the models themselves, and in templates."""
    taken = {
        node.attr
        for tree in trees(without=ROOT / "contexts" / "documents")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    templates = [path for path in (ROOT / "tasks").rglob("*.html*") if path.is_file()]
    return taken | {name for path in templates for name in re.findall(r"\.(\w+)", path.read_text(encoding="utf-8"))}


def trees(without: Path | None = None) -> list[ast.Module]:
    paths = [path for path in modules(ROOT) if without is None or not path.is_relative_to(without)]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


@pytest.mark.parametrize("model", records(), ids=lambda model: model.__name__)
def test_every_field_of_a_record_is_written_somewhere(model: type[Open]) -> None:
    made, changed = written()
    family = {one.__name__ for one in (model, *model.__subclasses__())}
    given = set[str]().union(*(made[name] for name in family)) | changed
    assert set(model.model_fields) - given == set()


@pytest.mark.parametrize("model", records(), ids=lambda model: model.__name__)
def test_every_field_of_a_record_is_read_somewhere_or_is_there_for_people(model: type[Open]) -> None:
    unread = set(model.model_fields) - read() - named()
    assert unread == FOR_PEOPLE.get(model.__name__, set())
