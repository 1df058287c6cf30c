"""Each thing an S3 service may mean has a sentence of its own, which says what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from contexts.errors import LoginExpired, NotFound, StoreDenied, StoreError, StoreUnreachable, StoreUnsuitable
from contexts.store.s3.errors import answer_of, explain

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def said(code: str, status: int, operation: str, message: str = "", **headers: str) -> StoreError:
    """Return what becomes of an error as boto raises it."""
    error = ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": {name.replace("_", "-"): value for name, value in headers.items()},
                "RequestId": "",
                "HostId": "",
                "RetryAttempts": 0,
            },
        },
        operation,
    )
    answer = answer_of(error)
    assert answer is not None
    return explain(answer, operation, "bucket b at h", "documents/w/context/000001.json", now=NOW)


@pytest.mark.parametrize(
    ("operation", "permission", "verb"),
    [
        ("PutObject", "s3:PutObject", "write objects"),
        ("GetObject", "s3:GetObject", "read objects"),
        ("HeadObject", "s3:GetObject", "read objects"),
        ("ListObjectsV2", "s3:ListBucket", "list objects"),
        ("DeleteObject", "s3:DeleteObject", "delete objects"),
    ],
)
@pytest.mark.parametrize("code", ["AccessDenied", "403"])
def test_a_denied_request_names_the_missing_permission(operation: str, permission: str, verb: str, code: str) -> None:
    error = said(code, 403, operation)
    assert isinstance(error, StoreDenied)
    assert f"no permission to {verb}" in str(error)
    assert f"grant {permission}" in str(error)
    assert error.permission == permission


@pytest.mark.parametrize(
    ("code", "status", "headers", "kind", "words"),
    [
        ("NoSuchBucket", 404, {}, StoreUnsuitable, "bucket b at h does not exist"),
        ("NoSuchKey", 404, {}, NotFound, "no object documents/w/context/000001.json"),
        ("PermanentRedirect", 301, {"x_amz_bucket_region": "eu-west-1"}, StoreUnsuitable, "set region=eu-west-1"),
        ("AuthorizationHeaderMalformed", 400, {}, StoreUnsuitable, "set the region the bucket was made in"),
        ("ExpiredToken", 400, {}, LoginExpired, "has expired"),
        ("InvalidAccessKeyId", 403, {}, StoreDenied, "access key id"),
        ("SignatureDoesNotMatch", 403, {}, StoreDenied, "secret access key does not belong"),
        ("RequestTimeTooSkewed", 403, {"date": "Tue, 24 Nov 2026 12:20:00 GMT"}, StoreDenied, "1200 s behind"),
        ("RequestTimeTooSkewed", 403, {"Date": "Tue, 24 Nov 2026 11:40:00 GMT"}, StoreDenied, "1200 s ahead of"),
        ("RequestTimeTooSkewed", 403, {}, StoreDenied, "which is wrong"),
        ("NotImplemented", 501, {}, StoreUnsuitable, "does not implement"),
        ("SlowDown", 503, {}, StoreUnreachable, "again and again"),
        ("InternalError", 500, {}, StoreUnreachable, "again and again"),
        ("EntityTooLarge", 400, {}, StoreError, "refused PutObject"),
    ],
)
def test_each_answer_has_its_own_sentence(
    code: str, status: int, headers: dict[str, str], kind: type[StoreError], words: str
) -> None:
    error = said(code, status, "PutObject", **headers)
    assert type(error) is kind
    assert words in str(error)


def test_a_refused_kms_key_is_told_from_a_refused_object() -> None:
    error = said("AccessDenied", 403, "PutObject", "not authorized to perform: kms:GenerateDataKey on this resource")
    assert isinstance(error, StoreDenied)
    assert "kms:GenerateDataKey and kms:Decrypt" in str(error)


def test_a_missing_object_without_permission_to_list_is_hinted_at() -> None:
    assert "without s3:ListBucket a missing object" in str(said("AccessDenied", 403, "GetObject"))


def test_an_error_without_an_answer_is_none() -> None:
    assert answer_of(ValueError("no response")) is None


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("SlowDown", 503, True),
        ("", 429, True),
        ("409", 409, False),
        ("ConditionalRequestConflict", 409, True),
        ("AccessDenied", 403, False),
        ("InternalError", 500, True),
        ("", 524, True),
    ],
)
def test_only_what_may_pass_is_tried_again(code: str, status: int, passes: bool) -> None:
    answer = answer_of(
        ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")
    )  # pyright: ignore[reportArgumentType] a short answer is the point
    assert answer is not None
    assert answer.may_pass is passes
