"""What the evidence amounts to: criteria, areas, verdict, people's rulings, what is open, the deployment's gate.

Imports spec, store and leases.
"""
