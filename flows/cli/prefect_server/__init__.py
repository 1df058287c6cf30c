"""The Prefect server a run reports to: found, started for a run, or started in the background."""
