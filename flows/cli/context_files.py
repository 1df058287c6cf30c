"""Read context files strictly, and write files that never replace others by accident."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from contexts.documents.base import JsonObject
from contexts.documents.context_file import read_context_file
from contexts.errors import InputError
from contexts.merge import read_loose

BLOBS = "blobs"
"""Folder of the blobs beside exported context files."""


def read_document(path: Path) -> JsonObject:
    """Return the document of a file, without its checksum, which must match where there is one.

    Raises:
        InputError: The file cannot be read.
        DocumentError: Not a context document, of a newer version, or not what its checksum says.
    """
    return read_loose(read_context_file(path), str(path))[0]


def write_new(path: Path, data: bytes, *, force: bool) -> None:
    """Write a whole file at once; an existing one is replaced only with ``force``.

    Raises:
        InputError: The file exists, or cannot be written.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        # mkstemp makes files only their owner may read; what is asked for by name follows the umask like any other.
        Path(temporary).chmod(0o666 & ~_umask())
        if force:
            Path(temporary).replace(path)
        else:
            os.link(temporary, path)
    except FileExistsError as error:
        raise InputError(f"{path} exists; name another file, or pass --force to replace it", path=str(path)) from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}", path=str(path)) from error
    finally:
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
