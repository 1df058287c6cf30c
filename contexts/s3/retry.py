"""Send a request again while its failure may pass, and say what it was when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from contexts.errors import InputError, StoreDenied, StoreError, StoreUnreachable
from contexts.s3.errors import answer_of, explain

_T = TypeVar("_T")
_PASSING = (
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseParserError,
    ResponseStreamingError,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on with a request whose failures may pass.

    Attributes:
        attempts: Tries altogether.
        seconds: No new try begins later than this after the first; the last may take its own time-outs more.
        first_wait: Seconds before the second try; doubled before each further one.
        longest_wait: Seconds, the most of these.
        jitter: Seconds, the most added by chance, so that many clients do not come back at one moment.
    """

    attempts: int = 8
    seconds: float = 45.0
    first_wait: float = 0.1
    longest_wait: float = 5.0
    jitter: float = 1.0


def persist(request: Callable[[], _T], patience: Patience, operation: str, where: str, key: str) -> _T:
    """Return what a request returns, in the end.

    Args:
        request: Sends it once. It is called again only after a failure that may pass.
        patience: How long.
        operation: Its name, such as ``PutObject``.
        where: Bucket and service, for the sentence.
        key: The object.

    Raises:
        StoreError: What stayed.
    """
    began = time.monotonic()
    try:
        try:
            return request()  # nearly always the only try, so the machinery for more is not set up before it is needed
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            if not _may_pass(error):
                raise
            first = error
        tries = stamina.retry_context(
            on=_may_pass,
            attempts=patience.attempts,
            timeout=max(patience.seconds - (time.monotonic() - began), 0.001),
            wait_initial=patience.first_wait,
            wait_max=patience.longest_wait,
            wait_jitter=patience.jitter,
        )
        for number, attempt in enumerate(tries):
            with attempt:
                if number == 0:
                    raise first
                return request()
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise _explained(error, operation, where, key) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _may_pass(error: Exception) -> bool:
    said = answer_of(error)
    if said is not None:
        return said.may_pass
    return isinstance(error, _PASSING) and not isinstance(error, SSLError)


def _explained(error: Exception, operation: str, where: str, key: str) -> StoreError | InputError:
    said = answer_of(error)
    if said is not None:
        return explain(said, operation, where, key)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StoreDenied(
            f"no credentials for {where}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a credentials "
            "block",
            key=key,
        )
    if isinstance(error, ParamValidationError):
        return InputError(f"{where} cannot be asked: {error}", key=key)
    if _may_pass(error):
        return StoreUnreachable(
            f"{where} does not answer ({type(error).__name__}): check the endpoint and the network, then run again",
            key=key,
        )
    return StoreError(f"{where} could not be asked: {error}", key=key)
