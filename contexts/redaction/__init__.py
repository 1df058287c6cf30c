"""Secrets at the save boundary: what they look like, and taking them out of whatever is stored.

Imports json and errors alone.
"""

from contexts.redaction.cuts import clean_edges, head_of, margin, tail_of
from contexts.redaction.known_values import know, knows_any, without_known
from contexts.redaction.lines import KnownLines
from contexts.redaction.redact import (
    Hit,
    LineHit,
    Redacted,
    RedactedText,
    find_secrets,
    is_redacted,
    redact,
    redact_text,
)
from contexts.redaction.spec_values import know_values_of

__all__ = [
    "Hit",
    "KnownLines",
    "LineHit",
    "Redacted",
    "RedactedText",
    "clean_edges",
    "find_secrets",
    "head_of",
    "is_redacted",
    "know",
    "know_values_of",
    "knows_any",
    "margin",
    "redact",
    "redact_text",
    "tail_of",
    "without_known",
]
