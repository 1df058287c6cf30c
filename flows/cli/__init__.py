"""The command line `plait`: a thin skin over what the other packages do.

Imports the rest of flows, tasks and contexts; no other room imports it.
"""

from flows.cli.startup import defer_gc

defer_gc()

from flows.cli.boundary import main  # noqa: E402 after the haste, which is for importing

__all__ = ["main"]
