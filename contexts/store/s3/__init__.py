"""The store on S3, R2 or any service that honours preconditions: objects, client, retries, errors, and the probe."""

from contexts.store.s3.objects import GZIP_ABOVE, S3Objects

__all__ = ["GZIP_ABOVE", "S3Objects"]
