"""The store on S3, R2 or any service that honours preconditions: objects, client, retries, errors, and the probe.

Imports boto3, and of plait the store's own terms, identifiers, json and errors.
"""

from contexts.store.s3.objects import GZIP_ABOVE, S3Objects

__all__ = ["GZIP_ABOVE", "S3Objects"]
