"""What is done: one Prefect task module per phase, and beneath them the run, agents, checks, git and the sandbox.

Imports contexts, never flows.
"""
