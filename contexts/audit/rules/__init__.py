"""Rules that compare typed members: references, fidelity, contracts, assumptions, input, time.

Imports the audit's engine, and no rule that reads sentences.
"""
