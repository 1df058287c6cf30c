"""Where the clones and workspaces of workflows lie on this machine."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from contexts.store.contexts import ContextStore


def workspaces_folder() -> Path:
    """Return the folder that holds the workspaces of all workflows."""
    chosen = os.environ.get("PLAIT_WORKSPACES")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else cache / "plait" / "workspaces"


def workspace_root(store: ContextStore, workflow_id: str) -> Path:
    """Return the folder that holds a workflow's clones and workspaces, apart for every store."""
    return workspaces_folder() / f"{workflow_id}-{sha256(store.identity.encode()).hexdigest()[:8]}"
