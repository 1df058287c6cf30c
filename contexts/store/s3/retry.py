"""Send a request again while its failure may pass, and say what it was when it does not."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import stamina
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from contexts.errors import InputError, StoreDenied, StoreError, StoreUnreachable
from contexts.store.fence import the_fence
from contexts.store.s3.errors import answer_of, explain

_T = TypeVar("_T")
_PASSING = (
    ConnectionError,  # refused, no such name, no connection in time, a proxy that is away
    CredentialRetrievalError,  # the service that lends short-lived credentials is away too
    HTTPClientError,
    HTTPError,  # a TLS connection that breaks within a body: boto3 lets urllib3's own error through
    IncompleteReadError,
    MetadataRetrievalError,
    ReadTimeoutError,
    ResponseParserError,
    ResponseStreamingError,
)
_FAILURES = (ClientError, BotoCoreError, ResponseParserError, HTTPError)
_NO_TLS_THERE = frozenset({"WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"})
"""What OpenSSL says where the other side speaks another protocol: trying again changes nothing."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on with a request whose failures may pass: by the clock, however quickly each try fails.

    Attributes:
        seconds: A request is given up at its first failure later than this after it was first sent.
        first_wait: Seconds before the second try; doubled before each further one.
        longest_wait: Seconds, the most of these.
        jitter: Seconds, the most added by chance, so that many clients do not come back at one moment.
    """

    seconds: float = 50.0
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
        StoreUnreachable: Also where the fence around it closed before a try (`contexts.store.fence`).
    """
    began = time.monotonic()
    fence = the_fence()
    try:
        try:
            fence.pass_(where, key)
            return request()  # nearly always the only try, so the machinery for more is not set up before it is needed
        except _FAILURES as error:
            if not _may_pass(error) or time.monotonic() - began >= patience.seconds:
                raise
            last = error
        tries = stamina.retry_context(
            on=_may_pass,
            attempts=None,
            timeout=max(patience.seconds - (time.monotonic() - began), 0.001),  # 0 would be for ever
            wait_initial=patience.first_wait,
            wait_max=patience.longest_wait,
            wait_jitter=patience.jitter,
        )
        for number, attempt in enumerate(tries):
            with attempt:
                if number == 0:
                    raise last
                fence.pass_(where, key, last)
                try:
                    return request()
                except _FAILURES as error:
                    last = error
                    raise
    except _FAILURES as error:
        raise _translate_error(error, operation, where, key) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _may_pass(error: Exception) -> bool:
    said = answer_of(error)
    if said is not None:
        return said.may_pass
    if isinstance(error, SSLError):
        return not _is_no_partner(error)
    return isinstance(error, _PASSING)


def _is_no_partner(error: BaseException) -> bool:
    """Say whether a TLS error is one of trust or of protocol; others are a connection that broke."""
    return any(
        isinstance(one, ssl.SSLCertVerificationError) or (isinstance(one, ssl.SSLError) and one.reason in _NO_TLS_THERE)
        for one in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything it was made from: boto3 and urllib3 keep that in three different places."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        kept: object = getattr(one, "kwargs", {}).get("error")
        waiting += [
            each for each in (*one.args, kept, one.__cause__, one.__context__) if isinstance(each, BaseException)
        ]


def _translate_error(error: Exception, operation: str, where: str, key: str) -> StoreError | InputError:
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
        return InputError(f"{where} cannot be asked: {error}")
    if _may_pass(error):
        return StoreUnreachable(
            f"{where} does not answer ({type(error).__name__}): check the endpoint and the network, then run again",
            key=key,
        )
    return StoreError(f"{where} could not be asked: {error}", key=key)
