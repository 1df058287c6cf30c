"""What the evidence amounts to: criteria, areas, verdict, people's decisions, what is open, the deployment's gate.

Imports spec, store and leases.
"""
