"""Flows a server starts by schedule: resume what was interrupted, verify again, keep the store small.

Imports phases, deployments, tasks and contexts.
"""
