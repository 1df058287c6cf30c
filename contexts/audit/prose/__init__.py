"""Rules about what agents and imported documents say in words: a few notations, and ticks; no sentence is understood.

Imports the rest of the audit, and nothing imports it: `contexts.audit` asks for it by name, and does without it where
it is not there. To import it registers its rules.
"""

from contexts.audit.prose import figures, performance, ticks

__all__ = ["figures", "performance", "ticks"]
