"""Secrets at the save boundary: what they look like, and taking them out of whatever is stored."""

from contexts.secrets.scanner import Hit, LineHit, Redacted, RedactedText, is_redacted, redact, redact_text

__all__ = ["Hit", "LineHit", "Redacted", "RedactedText", "is_redacted", "redact", "redact_text"]
