"""Open the store a user names: a folder, a ``file://`` or ``s3://`` URL, or a saved block.

Everything is imported only when it is needed: a store in a folder loads neither boto3 nor Prefect.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from contexts.errors import InputError
from contexts.store.data_folder import default_folder
from contexts.store.local import LocalObjects
from contexts.store.objects import ObjectStore

if TYPE_CHECKING:
    from contexts.store.s3.client import S3Settings

ENVIRONMENT_VARIABLE = "PLAIT_STORE"
BLOCK = "block:"
"""How the name of a store begins that is kept as a block on a Prefect server."""
_FORMS = "a folder, file:///FOLDER, s3://BUCKET/PREFIX?endpoint_url=...&region=..., or block:s3-contexts/NAME"
_SECRET_PARAMETERS = ("key_id", "access_key", "secret", "token", "password", "credential", "signature")


def open_objects(url: str | Path | None = None) -> ObjectStore:
    """Return the store behind a name.

    Args:
        url: A folder, ``file://``, ``s3://bucket/prefix`` with ``endpoint_url``, ``region``, ``addressing``, ``sse``,
            ``kms_key_id`` and ``profile`` as query, or ``block:SLUG/NAME``. None takes ``$PLAIT_STORE``, and without
            one ``plait`` in the user's data folder.

    Raises:
        InputError: The name cannot be one of a store, or holds a secret.
    """
    if isinstance(url, Path):
        return LocalObjects(url.expanduser())
    url = store_name(url)
    if not url:
        return LocalObjects(default_folder())
    if url.startswith(BLOCK):
        return _open_block(url.removeprefix(BLOCK))
    folder = folder_of(url)
    if folder is not None:
        return LocalObjects(folder)
    parts = _split(url)
    if parts.scheme == "s3":
        return _open_s3(parts)
    raise InputError(f"there is no store of kind {parts.scheme}://: name {_FORMS}")


def store_name(url: str | None) -> str:
    """Return the name of the store that is meant: the one given, else ``$PLAIT_STORE``, else an empty text."""
    return url or os.environ.get(ENVIRONMENT_VARIABLE) or ""


def folder_of(url: str) -> Path | None:
    """Return the folder a store's name stands for, ``~`` expanded, None for a bucket or block.

    Who may name which store is decided on this, so nothing else may say what is a folder.

    Raises:
        InputError: It cannot be the name of a store, or holds a secret.
    """
    if url.startswith(BLOCK):
        return None
    if "://" not in url:
        try:
            return Path(url).expanduser()
        except RuntimeError as error:
            raise InputError(f"the store {url!r} is in nobody's home: name {_FORMS}") from error
    parts = _split(url)
    return _file_path(parts) if parts.scheme == "file" else None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"the store's URL cannot be read: {error}") from error
    _refuse_secrets(parts)
    return parts


def _file_path(parts: SplitResult) -> Path:
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment or not parts.path.startswith("/"):
        raise InputError("a file:// URL of a store is file:///absolute/folder, with nothing else in it")
    return Path(unquote(parts.path))


def _open_s3(parts: SplitResult) -> ObjectStore:
    from contexts.store.s3 import S3Objects  # noqa: PLC0415 - boto3 takes a third of a second to import

    if not parts.netloc or parts.fragment:
        raise InputError("the store's URL names no bucket: write s3://BUCKET/PREFIX")
    return S3Objects(parts.netloc, unquote(parts.path).strip("/"), settings=_settings(parts.query))


def _settings(query: str) -> S3Settings:
    from contexts.store.s3.client import Addressing, Encryption, S3Settings  # noqa: PLC0415 - imports boto3

    known = {field.name for field in fields(S3Settings)} & {
        "endpoint_url",
        "region",
        "addressing",
        "sse",
        "kms_key_id",
        "profile",
    }
    given: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise InputError(f"a store's URL has no parameter {name!r}: it knows {', '.join(sorted(known))}")
        if name in given:
            raise InputError(f"the store's URL gives {name} twice")
        given[name] = value
    choices = {"addressing": get_args(Addressing), "sse": get_args(Encryption)}
    for name, allowed in choices.items():
        if name in given and given[name] not in allowed:
            raise InputError(f"{name}={given[name]} is not one of {', '.join(filter(None, allowed))}")
    if given.get("kms_key_id") and given.get("sse") != "aws:kms":
        raise InputError("kms_key_id goes with sse=aws:kms")
    return S3Settings(**given)


def _refuse_secrets(parts: SplitResult) -> None:
    """Refuse credentials in a URL, without repeating them: URLs end up in logs, histories and contexts."""
    inner = [parts]
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "kms_key_id" and any(word in name.lower().replace("-", "_") for word in _SECRET_PARAMETERS):
            raise InputError(
                f"the store's URL holds a credential ({name}): give credentials by the environment, a profile or a "
                "credentials block"
            )
        if name == "endpoint_url":
            inner.append(urlsplit(value))
    if any("@" in part.netloc for part in inner):
        raise InputError(
            "the store's URL holds a user name or password: give credentials by the environment, a profile or a "
            "credentials block"
        )


def _open_block(name: str) -> ObjectStore:
    from contexts.store.blocks import open_block  # noqa: PLC0415 - Prefect takes seconds to import

    return open_block(name)
