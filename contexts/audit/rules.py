"""All rules, by importing the modules that register them; the order here is the order of docs/rules.md."""

from contexts.audit import (
    arithmetic,
    assumptions,
    claims,
    contracts,
    counts,
    derived,
    fidelity,
    input_rules,
    outcomes,
    references,
    thresholds,
    times,
)
from contexts.audit.registry import RULES

__all__ = [
    "RULES",
    "arithmetic",
    "assumptions",
    "claims",
    "contracts",
    "counts",
    "derived",
    "fidelity",
    "input_rules",
    "outcomes",
    "references",
    "thresholds",
    "times",
]
