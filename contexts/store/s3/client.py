"""Make the one boto3 client a store uses, with bounded time-outs and the settings each service needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ProfileNotFound

from contexts.errors import InputError, StoreDenied

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Addressing = Literal["auto", "path", "virtual"]
Encryption = Literal["", "AES256", "aws:kms"]
R2_HOST = ".r2.cloudflarestorage.com"


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where a bucket is and how to talk to its service.

    Attributes:
        endpoint_url: The service; empty for AWS.
        region: The bucket's region; empty for R2's ``auto``, or the usual chain of AWS.
        addressing: ``path`` puts the bucket in the path, ``virtual`` in the host name, ``auto`` lets boto3 choose
            (path for an endpoint of your own).
        sse: Server-side encryption asked for with every put; empty for the bucket's default.
        kms_key_id: The key for ``aws:kms``; empty for the account's default key.
        profile: A profile of the AWS configuration files; empty for the usual chain.
        verify: Path of a certificate bundle to trust, or False to trust anything; None for the usual ones.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds to wait for the next bytes of an answer.
        connections: Connections kept open, which is how many requests run at once.
    """

    endpoint_url: str = ""
    region: str = ""
    addressing: Addressing = "auto"
    sse: Encryption = ""
    kms_key_id: str = ""
    profile: str = ""
    verify: bool | str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    connections: int = 32


def is_r2(endpoint_url: str) -> bool:
    """Say whether an endpoint is Cloudflare R2's."""
    return (urlsplit(endpoint_url).hostname or "").endswith(R2_HOST)


def connect(settings: S3Settings, session: boto3.Session | None = None) -> S3Client:
    """Return a new client: make one per store and keep it, since each costs tens of milliseconds.

    Retries are off: the store retries by itself, so that it knows when a write may have landed.

    Args:
        settings: Where and how.
        session: Credentials; None for the usual chain (environment, configuration files, instance roles).

    Raises:
        InputError: The endpoint cannot be one.
        StoreDenied: The profile does not exist.
    """
    _check_endpoint(settings.endpoint_url)
    config = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.connections,
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": settings.addressing},
        tcp_keepalive=True,
        user_agent_extra="plait",
    )
    if settings.endpoint_url:
        # boto3's default checksums have been refused by R2 and others; AWS itself keeps them.
        config = config.merge(
            Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
        )
    try:
        session = session or boto3.Session(profile_name=settings.profile or None)
        region = settings.region or _default_region(settings, session)
        # The stubs type every AWS service at once, most of them as unknown.
        return cast("Any", session).client(
            "s3",
            endpoint_url=settings.endpoint_url or None,
            region_name=region or None,
            config=config,
            verify=settings.verify,
        )
    except ProfileNotFound as error:
        raise StoreDenied(f"{error}: name one of your AWS configuration files, or none") from error
    except (ValueError, BotoCoreError) as error:
        raise InputError(f"no S3 client can be made with these settings: {error}") from error


def _check_endpoint(endpoint_url: str) -> None:
    """Refuse an endpoint that holds more than an address, without repeating it: it is shown, logged and stored."""
    parts = urlsplit(endpoint_url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(
            "the endpoint URL holds a user name, password or parameters: give credentials by the environment, a "
            "profile or a credentials block"
        )


def _default_region(settings: S3Settings, session: boto3.Session) -> str:
    if is_r2(settings.endpoint_url):
        return "auto"
    if session.region_name:
        return session.region_name
    return "us-east-1" if settings.endpoint_url else ""
