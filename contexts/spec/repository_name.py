"""What the name of a repository stands for: a URL, or a folder of this machine.

There is one answer, for the permission of a deployed run and for git. It is git's own rule, read from the name alone:
a colon before the first slash makes it a URL (``https://...``), ``HOST:PATH`` over ssh, or ``HELPER::ADDRESS``. So a
folder with such a name is written ``./HOST:PATH``, as for git. Everything else is a path, and what git is given of it
is absolute, which git cannot take for anything but a path.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from contexts.errors import RepositoryError

_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")


def is_url(named: str) -> bool:
    """Say whether git would take a name for something elsewhere: a URL, or ``host:path``."""
    return ":" in named.partition("/")[0]


def locate(named: str, folder: Path) -> str:
    """Return what git is to be given: a URL as it was named, or the absolute path with its links resolved.

    Doing it again changes nothing, whatever folder relative paths start from then.

    Args:
        named: URL or path, ``~`` for somebody's home, as a user wrote it.
        folder: What a relative path starts from.

    Raises:
        RepositoryError: It is neither: it is empty, starts with a dash, holds control characters, or names a transport
            helper, which is a program.
    """
    _check_text(named)
    if is_url(named):
        if _HELPER.match(named):
            raise RepositoryError(
                f"the repository {named[:200]!r} names a transport helper, which is a program, and no repository; "
                "give a folder or a URL",
                path=named,
            )
        return named
    return str(resolve(named, folder))


def resolve(named: str, folder: Path) -> Path:
    """Return the absolute path a path stands for, ``~`` expanded and links resolved, whether it exists or not.

    Raises:
        RepositoryError: Its links go round in a circle, or nobody has that home.
    """
    try:
        return (folder / Path(named).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise RepositoryError(
            f"the repository {named[:200]!r} leads nowhere; give a folder or a URL", path=named
        ) from error


def _check_text(named: str) -> None:
    try:
        os.fsencode(named)
        legal = not any(unicodedata.category(character) == "Cc" for character in named)
    except UnicodeEncodeError:  # half of a surrogate pair
        legal = False
    if not legal or not named or named.startswith("-"):
        raise RepositoryError(
            f"the repository {named[:200]!r} is empty, starts with a dash, or holds control characters; give a "
            "folder or a URL",
            path=named,
        )
