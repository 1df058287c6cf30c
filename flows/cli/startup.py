"""What the quick commands do without, so that they start quickly; a run, which takes seconds anyhow, gets it back."""

from __future__ import annotations

import gc
import os

_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
_WHILE_STARTING = 100_000
_usual = gc.get_threshold()
_ours = _PLUGINS not in os.environ


def hurry() -> None:
    """Import with fewer searches for garbage, of which there is none yet, and with none for plugins of pydantic."""
    gc.set_threshold(_WHILE_STARTING)
    if _ours:
        os.environ[_PLUGINS] = "__all__"


def settle() -> None:
    """Give back what `hurry` took, before the code of others is loaded: Prefect's, and that of a server it starts."""
    gc.set_threshold(*_usual)
    if _ours:
        os.environ.pop(_PLUGINS, None)
