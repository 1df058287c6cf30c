"""Keep objects in a bucket of S3, R2 or any service that honours If-None-Match and If-Match.

One request per saved object: a put with ``If-None-Match: *`` either makes the object or is refused. Each put carries
a token of its own in the object's metadata. When a put that had to be repeated is refused, the token tells whether its
own first try had landed after all. A service that ignores preconditions would lose writes silently, so the first
write of every `S3Objects` probes both and refuses such a service.
"""

from __future__ import annotations

import contextlib
import gzip
import secrets
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError

from contexts.errors import (
    ChecksumMismatch,
    LoginExpired,
    NotFound,
    ObjectExists,
    StoreDenied,
    StoreError,
    StoreUnsuitable,
    VersionChanged,
)
from contexts.identifiers import check_key, is_key
from contexts.store.fence import body_to_send
from contexts.store.objects import Entry, Versioned
from contexts.store.s3.client import S3Settings, connect
from contexts.store.s3.errors import answer_of
from contexts.store.s3.probe import PROBE_KEY, verdict
from contexts.store.s3.retry import Patience, persist

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

_T = TypeVar("_T")
GZIP_ABOVE = 100_000
"""Bytes above which a body is compressed."""
_TOKEN = "plait-put"  # noqa: S105 - the name of a metadata field
_RAW_LENGTH = "plait-raw-length"


class S3Objects:
    """An object store in one bucket, below one prefix. Thread-safe.

    Args:
        bucket: The bucket.
        prefix: Where in it, without slashes at the ends; may be empty.
        settings: Service, region, addressing, encryption, time-outs.
        session: Credentials; None for the usual chain of boto3.
        client: A client made by `contexts.store.s3.client.connect`; None makes one from ``settings`` and ``session``.
        patience: How long to go on with a request whose failures may pass.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        settings: S3Settings | None = None,
        session: boto3.Session | None = None,
        client: S3Client | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings or S3Settings()
        if prefix:
            check_key(prefix)
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = client or connect(self._settings, session)
        self._may_log_in = client is None and session is None
        self._patience = patience or Patience()
        self._probed = False
        self._probing = threading.Lock()
        self._logging_in = threading.Lock()
        host = urlsplit(self._settings.endpoint_url).netloc.rpartition("@")[2] if self._settings.endpoint_url else ""
        self._where = f"bucket {bucket}" + (f" at {host}" if host else "")

    @property
    def client(self) -> S3Client:
        """The one client; tests count its requests."""
        return self._client

    @property
    def identity(self) -> str:
        """Name bucket, prefix and service as an ``s3://`` URL."""
        url = f"s3://{self._bucket}/{self._prefix}".removesuffix("/")
        endpoint = self._settings.endpoint_url.rstrip("/")
        return f"{url}?endpoint_url={quote(endpoint, safe=':/')}" if endpoint else url

    def create(self, key: str, body: bytes) -> None:
        """Store a new object with one request.

        Raises:
            ObjectExists: The key is taken, and not by an earlier try of this very call.
            StoreError: The service refused, or did not answer in time.
        """
        self.probe()
        if not self._put(key, body, {"IfNoneMatch": "*"}):
            raise ObjectExists(f"object {key} exists already in {self._where}", key=key)

    def read(self, key: str) -> bytes:
        """Return a whole object.

        Raises:
            NotFound: No such key.
            ChecksumMismatch: A compressed body that cannot be unpacked.
        """
        return self._get(key).body

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield every object whose key begins with ``prefix``, in ascending key order, 1,000 a request."""
        if prefix:
            check_key(prefix.removesuffix("/"))
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        while True:
            page = self._call("ListObjectsV2", prefix, lambda: self._client.list_objects_v2(**request))
            for found in page.get("Contents", ()):
                key = found.get("Key", "").removeprefix(self._prefix)
                if is_key(key) and key != PROBE_KEY:
                    modified = found.get("LastModified")
                    yield Entry(key=key, size=found.get("Size", 0), modified=modified.timestamp() if modified else 0.0)
            if not page.get("IsTruncated"):
                return
            following = page.get("NextContinuationToken")
            if not following or following == request.get("ContinuationToken"):
                raise StoreUnsuitable(
                    f"{self._where} cuts a listing off and does not say where it goes on: use another service",
                    key=prefix,
                )
            request["ContinuationToken"] = following

    def read_versioned(self, key: str) -> Versioned | None:
        """Return an object and its ETag, or None where there is none."""
        try:
            return self._get(key)
        except NotFound:
            return None

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        """Replace an object if it still has ``version`` (None: if it is new); return its new version.

        Raises:
            VersionChanged: Somebody else replaced, made or removed it since.
        """
        self.probe()
        etag = self._put(key, body, {"IfNoneMatch": "*"} if version is None else {"IfMatch": version})
        if not etag:
            raise VersionChanged(f"object {key} in {self._where} was changed by somebody else", key=key)
        return etag

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        name = self._name(key)
        self._call("DeleteObject", key, lambda: self._client.delete_object(Bucket=self._bucket, Key=name))

    def overwrite(self, key: str, body: bytes) -> None:
        """Store an object whatever was there: for Prefect's results, which are cache. Documents never are."""
        name = self._name(key)
        extra = self._extra(secrets.token_hex(8))
        self._call("PutObject", key, lambda: self._client.put_object(Bucket=self._bucket, Key=name, Body=body, **extra))

    def probe(self) -> None:
        """Make sure, once, that the service honours create-only and If-Match. Every write does this first.

        Raises:
            StoreUnsuitable: It ignores one of them.
            StoreError: It refused, or did not answer.
        """
        if self._probed:
            return
        with self._probing:
            if not self._probed:
                verdict(self._probe_put, self._where)
                self._probed = True

    def _probe_put(self, condition: dict[str, str]) -> bool:
        return bool(self._put(PROBE_KEY, b"plait asks whether this service honours preconditions\n", condition))

    def _put(self, key: str, body: bytes, condition: dict[str, str]) -> str:
        """Put under a condition; return the new ETag, or an empty string when the condition did not hold."""
        name = self._name(key)
        token = secrets.token_hex(8)
        extra = self._extra(token)
        if len(body) > GZIP_ABOVE:
            packed = gzip.compress(body, compresslevel=3, mtime=0)
            if len(packed) < 0.9 * len(body):
                # Not Content-Encoding: proxies undo it on the way, and R2's simulator compresses such bodies once more.
                extra["Metadata"][_RAW_LENGTH] = str(len(body))
                body = packed
        tries = 0

        def put() -> str | None:
            nonlocal tries
            tries += 1
            try:
                sent = body_to_send(body, self._where, key)
                answer = self._client.put_object(Bucket=self._bucket, Key=name, Body=sent, **condition, **extra)
            except ClientError as error:
                said = answer_of(error)
                if said and (said.precondition_failed or ("IfMatch" in condition and said.missing)):
                    return None
                raise
            return answer["ETag"]

        etag = self._call("PutObject", key, put)
        if etag is None and tries > 1:
            return self._landed(key, name, token)
        return etag or ""

    def _landed(self, key: str, name: str, token: str) -> str:
        """Return the ETag if the object is what this very call has put, though its answer was lost."""
        try:
            head = self._call("HeadObject", key, lambda: self._client.head_object(Bucket=self._bucket, Key=name))
        except NotFound:
            return ""
        return head["ETag"] if head["Metadata"].get(_TOKEN) == token else ""

    def _extra(self, token: str) -> dict[str, Any]:
        extra: dict[str, Any] = {"Metadata": {_TOKEN: token}}
        if self._settings.sse:
            extra["ServerSideEncryption"] = self._settings.sse
        if self._settings.kms_key_id:
            extra["SSEKMSKeyId"] = self._settings.kms_key_id
        return extra

    def _get(self, key: str) -> Versioned:
        name = self._name(key)

        def get() -> tuple[bytes, str, str | None]:
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
            # closing, since a StreamingBody entered by itself hands out urllib3's stream, whose errors are not boto's.
            with contextlib.closing(answer["Body"]) as stream:
                return stream.read(), answer["ETag"], answer["Metadata"].get(_RAW_LENGTH)

        try:
            body, etag, length = self._call("GetObject", key, get)
        except StoreDenied as denied:
            if denied.permission == "s3:GetObject" and self._is_missing(key):
                raise NotFound(f"there is no object {key} in {self._where}", key=key) from denied
            raise
        if length is not None and str(len(body)) != length:
            body = _unpacked(body, length)
            if body is None:
                raise ChecksumMismatch(
                    f"object {key} in {self._where} is cut off or was altered: restore it from a copy", key=key
                )
        return Versioned(body=body, version=etag)

    def _is_missing(self, key: str) -> bool:
        """Say whether a listing shows that a key is free.

        Where listing is granted below a prefix only, S3 may answer a get of a missing object with "access denied".
        """
        try:
            return all(entry.key != key for entry in self.list(key))
        except StoreError:
            return False

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _call(self, operation: str, key: str, request: Callable[[], _T]) -> _T:
        used = self._client
        try:
            return persist(request, self._patience, operation, self._where, key)
        except LoginExpired:
            if not self._may_log_in:
                raise
        # boto3 renews what it was lent, but reads files only once: a login of meanwhile is seen by a new client alone.
        with self._logging_in:
            if self._client is used:
                self._client = connect(self._settings)
        return persist(request, self._patience, operation, self._where, key)


def _unpacked(packed: bytes, length: str) -> bytes | None:
    """Return the body of the given length, or None where it cannot be had from what came."""
    if not length.isdecimal():
        return None
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(packed, int(length) + 1)
    except zlib.error:
        return None
    return body if unpacker.eof and len(body) == int(length) else None
