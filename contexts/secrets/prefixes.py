"""Tokens that are known by how they begin: a table to add to."""

from __future__ import annotations

from collections.abc import Callable

END_OF_WORD = r"(?![A-Za-z0-9_-])"


def mixed(value: str) -> bool:
    """Return whether a value has a digit and a letter: words and placeholders do not."""
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def varied(value: str) -> bool:
    """Return whether a value has upper and lower case and a digit, as random base62 has."""
    return mixed(value) and value.upper() != value and value.lower() != value


Row = tuple[str, str, str, Callable[[str], bool] | None]

# Kind, what a token begins with, how it goes on, and a last test. These are found inside other text as well.
PREFIXED: tuple[Row, ...] = (
    ("anthropic-key", "sk-ant-", r"[A-Za-z0-9_-]{16,}", mixed),
    ("openrouter-key", "sk-or-v1-", r"[0-9a-f]{64}", None),
    ("github-token", "github_pat_", r"[A-Za-z0-9_]{22,}", None),
    ("gitlab-token", "glagent-", r"[A-Za-z0-9_-]{50,}", None),
    ("google-client-secret", "GOCSPX-", r"[A-Za-z0-9_-]{28}", None),
    ("cloudflare-token", "cfut_", r"[A-Za-z0-9_-]{40,}", None),
    ("cloudflare-token", "cfat_", r"[A-Za-z0-9_-]{40,}", None),
    ("cloudflare-token", "cfk_", r"[A-Za-z0-9_-]{40,}", None),
    ("cloudflare-origin-key", "v1.0-", r"[0-9a-f]{24}-[0-9a-f]{146}", None),
    ("stripe-key", "sk_test_", r"[0-9a-zA-Z]{24,}", None),
    ("stripe-key", "rk_test_", r"[0-9a-zA-Z]{24,}", None),
    ("stripe-webhook-secret", "whsec_", r"[A-Za-z0-9+/=]{32,}", None),
    ("slack-token", "xapp-", r"[0-9]-[A-Z0-9]{5,}-[0-9]{5,}-[A-Za-z0-9]{20,}", None),
    ("twilio-key", "SK", r"[a-f0-9]{32}(?![A-Za-z0-9+/=])", mixed),
    ("digitalocean-token", "dop_v1_", r"[a-f0-9]{64}", None),
    ("digitalocean-token", "doo_v1_", r"[a-f0-9]{64}", None),
    ("digitalocean-token", "dor_v1_", r"[a-f0-9]{64}", None),
    ("linear-key", "lin_api_", r"[A-Za-z0-9]{40}", None),
    ("grafana-token", "glsa_", r"[A-Za-z0-9]{32}_[0-9a-f]{8}", None),
    ("docker-token", "dckr_pat_", r"[A-Za-z0-9_-]{27,}", None),
    ("age-secret-key", "AGE-SECRET-KEY-1", r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", None),
    ("newrelic-key", "NRAK-", r"[A-Z0-9]{27}", None),
    ("postman-key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}", None),
    ("supabase-token", "sbp_", r"[a-f0-9]{40}", None),
)

# The same for beginnings so short that they must begin a word.
WORDS: tuple[Row, ...] = (
    ("openai-key", "sk-proj-", r"[A-Za-z0-9_-]{20,}", mixed),
    ("openai-key", "sk-svcacct-", r"[A-Za-z0-9_-]{20,}", mixed),
    ("openai-key", "sk-admin-", r"[A-Za-z0-9_-]{20,}", mixed),
    ("openai-key", "sk-", r"[A-Za-z0-9]{32,}", mixed),
    ("artifactory-token", "AKC", r"[a-zA-Z0-9]{10,}(?![A-Za-z0-9+/=])", mixed),
    ("google-key", "AIza", r"[0-9A-Za-z_-]{35}" + END_OF_WORD, None),
    ("google-access-token", "ya29.", r"[0-9A-Za-z_-]{20,}", None),
    ("huggingface-token", "hf_", r"[A-Za-z0-9]{30,}", varied),
    ("npm-token", "npm_", r"[A-Za-z0-9]{36}" + END_OF_WORD, None),
    ("databricks-token", "dapi", r"[a-f0-9]{32}" + END_OF_WORD, None),
    ("shopify-token", "shpat_", r"[a-fA-F0-9]{32}", None),
    ("shopify-token", "shpca_", r"[a-fA-F0-9]{32}", None),
    ("shopify-token", "shppa_", r"[a-fA-F0-9]{32}", None),
    ("shopify-token", "shpss_", r"[a-fA-F0-9]{32}", None),
    ("vault-token", "hvs.", r"[A-Za-z0-9_-]{24,}", mixed),
    ("prefect-key", "pnu_", r"[A-Za-z0-9]{36}" + END_OF_WORD, None),
    ("prefect-key", "pnb_", r"[A-Za-z0-9]{36}" + END_OF_WORD, None),
    ("groq-key", "gsk_", r"[A-Za-z0-9]{48,}", None),
    ("replicate-token", "r8_", r"[A-Za-z0-9]{37}" + END_OF_WORD, None),
    ("xai-key", "xai-", r"[A-Za-z0-9]{70,}", None),
)
