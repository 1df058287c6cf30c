"""Where rules come from: packages of them, each of which registers its own when it is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec

from contexts.audit.registry import RULES, Rule

PROSE = "contexts.audit.prose"
"""The package of the rules about words, which a spec can turn off."""


def load_rules(packages: Iterable[str]) -> Mapping[str, Rule]:
    """Import the packages of rules that are there, and return every rule by its id; the audit does without the rest."""
    for package in packages:
        if find_spec(package) is not None:
            import_module(package)
    return RULES
