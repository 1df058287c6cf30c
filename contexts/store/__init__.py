"""Where documents, revisions and blobs are kept, on a disk or in a bucket, and what may be asked of a store.

Imports documents and redaction.
"""
