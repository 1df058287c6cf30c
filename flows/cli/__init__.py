"""The command line `plait`: a thin skin over contexts, tasks and flows; one module per command or small group."""

import gc
import os

# Looking for plugins of pydantic takes longer than all of plait's models; who has some sets it to nothing.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# Modules make objects by the ten thousand and no garbage: looking for some meanwhile takes a tenth of a short command.
gc.set_threshold(100_000)

from flows.cli.boundary import main  # noqa: E402

__all__ = ["main"]
