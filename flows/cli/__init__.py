"""The command line `plait`: a thin skin over contexts, tasks and flows; one module per command or small group."""

from flows.cli.startup import defer_gc

defer_gc()

from flows.cli.boundary import main  # noqa: E402 after the haste, which is for importing

__all__ = ["main"]
