"""Prefect blocks that build stores, and keep the few results Prefect caches.

Register both with ``prefect block register -m contexts.store.blocks``. As result storage of a task or flow they keep
Prefect's results below ``results/``, the one place where objects are overwritten.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from pathlib import Path
from typing import Any, cast

from prefect.filesystems import WritableFileSystem
from prefect_aws import AwsCredentials, MinIOCredentials
from pydantic import Field, PrivateAttr, field_validator

from contexts.errors import InputError, NotFound
from contexts.json.values import is_object
from contexts.store.data_folder import default_folder
from contexts.store.keys import result_key
from contexts.store.local import LocalObjects
from contexts.store.objects import ObjectStore
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import Addressing, Encryption, S3Settings


class _ResultStorage(WritableFileSystem):
    """What makes a store Prefect's result storage: two methods, each for tasks and for async tasks."""

    _objects: LocalObjects | S3Objects | None = PrivateAttr(default=None)

    def open(self) -> ObjectStore:
        """Return the store; one for the life of the block, so that its connections are reused."""
        return self._opened()

    def read_path(self, path: str, _sync: bool | None = None) -> bytes:  # pyright: ignore[reportIncompatibleMethodOverride] Prefect calls it either way, see its LocalFileSystem
        """Return one of Prefect's results.

        Raises:
            ValueError: There is none, as Prefect expects it.
        """
        try:
            return self._opened().read(result_key(path))
        except NotFound as error:
            raise ValueError(f"no result {path}") from error

    async def aread_path(self, path: str) -> bytes:
        """Return one of Prefect's results, without blocking the event loop."""
        return await asyncio.to_thread(self.read_path, path)

    def write_path(self, path: str, content: bytes, _sync: bool | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] same
        """Store one of Prefect's results, over an older one."""
        self._opened().overwrite(result_key(path), content)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """Store one of Prefect's results, without blocking the event loop."""
        await asyncio.to_thread(self.write_path, path, content)

    def _opened(self) -> LocalObjects | S3Objects:
        if self._objects is None:
            self._objects = self._make()
        return self._objects

    @abstractmethod
    def _make(self) -> LocalObjects | S3Objects:
        """Return the store that the block's fields describe."""


class LocalContexts(_ResultStorage):
    """Contexts in a folder of this machine, or one it shares with others over a file system with locks."""

    _block_type_name = "Local Contexts"
    _block_type_slug = "local-contexts"
    _description = "Keep the context documents of plait workflows in a folder."

    path: str = Field(
        default_factory=lambda: str(default_folder()),
        title="Folder",
        description="Absolute path of the folder. It is made at the first save, for its owner alone.",
        examples=["/var/lib/plait"],
    )

    def _make(self) -> LocalObjects:
        return LocalObjects(Path(self.path).expanduser())


class S3Contexts(_ResultStorage):
    """Contexts in a bucket of AWS S3, Cloudflare R2, MinIO or any service that honours conditional writes."""

    _block_type_name = "S3 Contexts"
    _block_type_slug = "s3-contexts"
    _description = "Keep the context documents of plait workflows in a bucket of S3, R2 or an S3-compatible service."

    bucket: str = Field(title="Bucket", description="Name of the bucket. It must exist.", examples=["my-contexts"])
    prefix: str = Field(
        default="",
        title="Prefix",
        description="Folder in the bucket to keep everything below, without slashes at its ends. Empty for the root.",
        examples=["plait"],
    )
    endpoint_url: str = Field(
        default="",
        title="Endpoint URL",
        description="Address of the service. Empty for AWS; for R2 https://ACCOUNT_ID.r2.cloudflarestorage.com.",
        examples=["https://0123456789abcdef.r2.cloudflarestorage.com"],
    )
    region: str = Field(
        default="",
        title="Region",
        description="Region of the bucket. Empty for the one of the credentials or environment; R2 needs none.",
        examples=["eu-central-1"],
    )
    addressing: Addressing = Field(
        default="auto",
        title="Addressing",
        description="Where the bucket's name goes: in the path, in the host name (virtual), or left to boto3 (auto).",
    )
    encryption: Encryption = Field(
        default="",
        title="Server-side encryption",
        description="What to ask for with every save. Empty for the bucket's own default.",
    )
    kms_key_id: str = Field(
        default="",
        title="KMS key",
        description="Id or ARN of the key when the encryption is aws:kms. Empty for the account's default key.",
    )
    credentials: AwsCredentials | MinIOCredentials | None = Field(
        default=None,
        title="Credentials",
        description=(
            "A credentials block of prefect-aws (AWS Credentials also for R2 and other services). Empty for the usual "
            "chain: environment variables, configuration files, the machine's role."
        ),
        repr=False,
    )

    @field_validator("credentials", mode="before")
    @classmethod
    def _whole_credentials(cls, value: Any) -> Any:
        """Build a nested block from its stored fields: pydantic leaves a union of blocks uninitialised."""
        if not is_object(value):
            return value
        stored = dict(value)
        slug = stored.pop("block_type_slug", None)
        kind = MinIOCredentials if slug == "minio-credentials" or "minio_root_user" in stored else AwsCredentials
        return kind(**stored)

    def _make(self) -> S3Objects:
        credentials = self.credentials
        parameters = credentials.aws_client_parameters if credentials else None
        verify = (parameters.verify_cert_path or parameters.verify) if parameters else None
        settings = S3Settings(
            endpoint_url=self.endpoint_url or (parameters.endpoint_url if parameters else None) or "",
            region=self.region or (credentials.region_name if credentials else None) or "",
            addressing=self.addressing,
            sse=self.encryption,
            kms_key_id=self.kms_key_id,
            verify=str(verify) if isinstance(verify, Path) else verify,
        )
        session = credentials.get_boto3_session() if credentials else None
        return S3Objects(self.bucket, self.prefix.strip("/"), settings=settings, session=session)


def open_block(reference: str) -> ObjectStore:
    """Return the store of a saved block; see `load_block`."""
    return load_block(reference).open()


def load_block(reference: str) -> LocalContexts | S3Contexts:
    """Return a saved block.

    Args:
        reference: ``s3-contexts/NAME`` or ``local-contexts/NAME``.

    Raises:
        InputError: There is no such block, or it is of another kind.
    """
    slug, _, name = reference.partition("/")
    kinds: dict[str, type[LocalContexts | S3Contexts]] = {
        "local-contexts": LocalContexts,
        "s3-contexts": S3Contexts,
    }
    if slug not in kinds or not name:
        raise InputError(f"block:{reference} names no store: write block:s3-contexts/NAME or block:local-contexts/NAME")
    try:
        block = kinds[slug].load(name, _sync=True)  # pyright: ignore[reportCallIssue, reportUnknownVariableType] Prefect's dispatcher adds _sync
    except ValueError as error:
        raise InputError(
            f"there is no block {reference} on this Prefect server: make one in its UI or by saving it in Python"
        ) from error
    return cast("LocalContexts | S3Contexts", block)
