"""Secrets at the save boundary: what they look like, and taking them out of whatever is stored."""

from contexts.secrets.cuts import clean_edges, head_of, margin, tail_of
from contexts.secrets.handed_over import know_values_of
from contexts.secrets.known import know, knows_any, without_known
from contexts.secrets.lines import KnownLines
from contexts.secrets.scanner import (
    Hit,
    LineHit,
    Redacted,
    RedactedText,
    find_secrets,
    is_redacted,
    redact,
    redact_text,
)

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
