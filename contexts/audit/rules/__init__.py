"""Rules that compare typed members: references, fidelity, contracts, assumptions, input, time.

Imports the audit's engine, and no rule that reads sentences. To import it registers its rules.
"""

from contexts.audit.rules import (
    artifacts,
    assumed_fixtures,
    assumptions,
    contract_limits,
    contracts,
    fidelity,
    fidelity_contracts,
    fidelity_outcomes,
    input,  # noqa: A004 the family's name
    references,
    settings,
    timestamps,
)

__all__ = [
    "artifacts",
    "assumed_fixtures",
    "assumptions",
    "contract_limits",
    "contracts",
    "fidelity",
    "fidelity_contracts",
    "fidelity_outcomes",
    "input",
    "references",
    "settings",
    "timestamps",
]
