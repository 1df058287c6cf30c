"""The Prefect server a run reports to: found, started for a run, or started in the background.

Imports Prefect, contexts and the command line's start; no command.
"""
