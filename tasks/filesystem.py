"""Remove folders whatever is in them, and set them aside. Imports nothing of plait."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, also what an agent made read-only, or whatever stands there; follow no link."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    elif folder.exists():
        folder.chmod(0o700)
        for parent, names, _ in os.walk(folder):
            for name in names:
                if not (path := Path(parent, name)).is_symlink():
                    path.chmod(0o700)  # before the walk descends into it
        shutil.rmtree(folder)


def set_aside(folder: Path) -> Path:
    """Rename a folder out of the way, to the first free ``NAME-left-N`` beside it, and return where it is now."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}-left-{number}")).exists() or aside.is_symlink():
        number += 1
    folder.rename(aside)
    return aside
