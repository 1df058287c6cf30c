"""All rules, by importing the modules that register them."""

from contexts.audit.prose import (
    arithmetic,
    claims,
    counts,
    derived,
    durations,
    failures,
    records,
    speedups,
    suites,
    thresholds,
)
from contexts.audit.registry import RULES
from contexts.audit.rules import artifacts, assumptions, contracts, fidelity, references
from contexts.audit.rules import assumed_fixtures as fixtures
from contexts.audit.rules import contract_limits as limits
from contexts.audit.rules import fidelity_contracts as carried_contracts
from contexts.audit.rules import fidelity_outcomes as outcomes
from contexts.audit.rules import input as input_rules
from contexts.audit.rules import timestamps as times

__all__ = [
    "RULES",
    "arithmetic",
    "artifacts",
    "assumptions",
    "carried_contracts",
    "claims",
    "contracts",
    "counts",
    "derived",
    "durations",
    "failures",
    "fidelity",
    "fixtures",
    "input_rules",
    "limits",
    "outcomes",
    "records",
    "references",
    "speedups",
    "suites",
    "thresholds",
    "times",
]
