"""Say in one plain sentence each what an S3 service meant by its error.

Nothing here imports boto3: errors are told by their shape, so that the mapping is tested without a service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from contexts.errors import LoginExpired, NotFound, StoreDenied, StoreError, StoreUnreachable, StoreUnsuitable
from contexts.json.values import is_object, section, text

_PERMISSIONS = {
    "PutObject": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
}
_VERBS = {
    "PutObject": "write objects",
    "GetObject": "read objects",
    "HeadObject": "read objects",
    "ListObjectsV2": "list objects",
    "DeleteObject": "delete objects",
}
_PASSING = frozenset(
    {
        "InternalError",
        "OperationAborted",
        "ConditionalRequestConflict",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequests",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "RequestThrottled",
        "BadDigest",
        "IncompleteBody",
        "XAmzContentSHA256Mismatch",
    }
)
_FINAL = frozenset({501, 505, 507})
"""Failures of a server that stay: not implemented, another HTTP version, its disk is full."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said no with.

    Attributes:
        code: The error's code, or the status as text where the answer had no body.
        status: HTTP status.
        message: The service's own words.
        headers: Headers of the answer, lower case.
        fields: Whatever else the error's body held.
    """

    code: str
    status: int
    message: str
    headers: Mapping[str, str]
    fields: Mapping[str, object]

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed a moment later."""
        if self.code in _PASSING or self.status in {408, 429}:
            return True
        return self.status >= 500 and self.status not in _FINAL

    @property
    def precondition_failed(self) -> bool:
        """Whether If-None-Match or If-Match was honoured by refusing."""
        return self.status == 412 or self.code == "PreconditionFailed"

    @property
    def missing(self) -> bool:
        """Whether there is no such object (a missing bucket is another matter)."""
        return self.code in {"NoSuchKey", "404", "NotFound"}


def answer_of(error: BaseException) -> Answer | None:
    """Return what the service said, or None for an error without an answer."""
    response = getattr(error, "response", None)
    if not is_object(response):
        return None
    fields, metadata = section(response, "Error"), section(response, "ResponseMetadata")
    headers = section(metadata, "HTTPHeaders")
    return Answer(
        code=str(fields.get("Code") or metadata.get("HTTPStatusCode") or ""),
        status=int(metadata.get("HTTPStatusCode") or 0),
        message=str(fields.get("Message") or "").strip().rstrip("."),
        headers={name.lower(): value for name, value in headers.items()},
        fields=fields,
    )


def explain(answer: Answer, operation: str, where: str, key: str, *, now: datetime | None = None) -> StoreError:
    """Return the error to raise for an answer.

    Args:
        answer: What the service said.
        operation: Name of the request, such as ``PutObject``.
        where: Bucket and endpoint, for the sentence.
        key: The object asked for.
        now: This machine's time, for a skewed clock.
    """
    code = answer.code
    if code == "NoSuchBucket":
        return StoreUnsuitable(f"{where} does not exist: create the bucket, or correct its name", key=key)
    if answer.missing and operation == "ListObjectsV2":
        return StoreUnsuitable(f"{where} does not exist: create the bucket, or correct its name", key=key)
    if answer.missing:
        return NotFound(f"there is no object {key} in {where}", key=key)
    if code in {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"} or (
        answer.status in {301, 307}
    ):
        region = answer.headers.get("x-amz-bucket-region") or text(answer.fields.get("Region")) or None
        right = f"set region={region}" if region else "set the region the bucket was made in"
        return StoreUnsuitable(f"{where} is not in the configured region: {right}", key=key, region=region)
    if code in {"RequestTimeTooSkewed", "RequestExpired"}:
        return StoreDenied(
            f"{where} refuses this machine's clock, which is {_skew(answer, now)}: set it right", key=key
        )
    if code in {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}:
        return LoginExpired(
            f"the session token for {where} has expired: log in again or renew the credentials", key=key
        )
    if code in {"InvalidAccessKeyId", "InvalidToken", "UnrecognizedClientException", "InvalidClientTokenId"}:
        return StoreDenied(
            f"{where} does not know this access key: check the access key id (and session token)", key=key
        )
    if code in {"SignatureDoesNotMatch", "InvalidSignature"}:
        return StoreDenied(
            f"{where} refuses the signature: the secret access key does not belong to the access key id", key=key
        )
    if "kms" in f"{code} {answer.message}".lower() and answer.status in {400, 403}:
        return StoreDenied(
            f"{where} could not use the KMS key ({answer.message}): the credentials need kms:GenerateDataKey and "
            "kms:Decrypt on an enabled key",
            key=key,
        )
    if code in {"AccessDenied", "403", "AllAccessDisabled", "Forbidden", "Unauthorized", "401"} or (
        answer.status in {401, 403}
    ):
        return _denied(operation, where, key)
    if code in {"NotImplemented", "501"} or answer.status == 501:
        return StoreUnsuitable(
            f"{where} does not implement a request plait needs ({operation}: {answer.message}): use another service",
            key=key,
        )
    if answer.may_pass:
        return StoreUnreachable(
            f"{where} answered {answer.status} {code} again and again: run again when the service is well", key=key
        )
    return StoreError(f"{where} refused {operation} of {key or 'its objects'}: {code} {answer.message}", key=key)


def clock_skew(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return by how many seconds this machine's clock is ahead of the service's, or None where it does not say."""
    try:
        theirs = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return ((now or datetime.now(tz=UTC)) - theirs.astimezone(UTC)).total_seconds()


def _skew(answer: Answer, now: datetime | None) -> str:
    seconds = clock_skew(answer.headers, now)
    if seconds is None:
        return "wrong"
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the service's"


def _denied(operation: str, where: str, key: str) -> StoreDenied:
    permission = _PERMISSIONS.get(operation, f"s3:{operation}")
    verb = _VERBS.get(operation, operation)
    more = ""
    if permission == "s3:GetObject":
        more = "; without s3:ListBucket a missing object is answered like this too"
    return StoreDenied(
        f"no permission to {verb} in {where}: grant {permission} (on R2: a token with "
        f"{'Object Read' if permission in {'s3:GetObject', 's3:ListBucket'} else 'Object Read & Write'} for the bucket)"
        f"{more}",
        key=key,
        permission=permission,
    )
