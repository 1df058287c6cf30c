"""Rules that read sentences: what agents and imported documents say in words.

Imports the rest of the audit, and nothing imports it: `contexts.audit` asks for it by name, and does without it where
it is not there. To import it registers its rules.
"""

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

__all__ = [
    "arithmetic",
    "claims",
    "counts",
    "derived",
    "durations",
    "failures",
    "records",
    "speedups",
    "suites",
    "thresholds",
]
