"""Read context files strictly, and write files that never replace others by accident."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from contexts.errors import DocumentError, InputError, TooLarge
from contexts.merge import read_loose
from contexts.model.base import JsonObject

BLOBS = "blobs"
"""Folder of the blobs beside exported context files."""


MOST_BYTES = 100_000_000
"""What a context file may have: merged documents with all their tracks in them are larger than what a store takes."""


def read_file(path: Path) -> bytes:
    """Return what a file holds; a device or pipe that never ends is read to the limit and no further.

    Raises:
        InputError: It cannot be read.
        TooLarge: It has more than 100 MB.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    if len(data) > MOST_BYTES:
        raise TooLarge(
            f"{path} has more than {MOST_BYTES // 1_000_000} MB, which no context file has; name another file",
            path=str(path),
        )
    return data


def read_document(path: Path) -> JsonObject:
    """Return the document of a file, without its checksum, which must match where there is one.

    Raises:
        InputError: The file cannot be read.
        DocumentError: Not a context document, of a newer version, or not what its checksum says.
    """
    return read_loose(read_file(path), str(path))[0]


def workflow_of(document: JsonObject) -> str:
    """Return the workflow a document belongs to: its parent's id if it has a parent, else its own.

    Raises:
        DocumentError: It names none.
    """
    owner = document.get("parent_workflow_id") or document.get("workflow_id")
    if not isinstance(owner, str) or not owner:
        raise DocumentError("the document has no workflow_id", pointer="/workflow_id")
    return owner


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
