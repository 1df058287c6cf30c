"""Evidence: what a spec's checks find out by running on the integrated tree, and what their reports say.

Imports the sandbox, git and contexts; no Prefect, and no agent.
"""
