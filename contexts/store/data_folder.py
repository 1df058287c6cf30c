"""Where contexts are kept when nothing is configured."""

from __future__ import annotations

import os
from pathlib import Path


def default_folder() -> Path:
    """Return the folder used when nothing is configured: ``plait`` in the user's data folder."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "plait"
