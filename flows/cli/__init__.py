"""The command line `plait`: a thin skin over contexts, tasks and flows; one module per command or small group."""

from flows.cli.boundary import main

__all__ = ["main"]
