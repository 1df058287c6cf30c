"""Tokens that are known by how they begin, where Kingfisher's rules lack them or take less than the whole: a table.

The most common ones (GitHub, GitLab, Slack, Stripe, OpenAI, Anthropic, Google, PyPI) stand here whatever those rules
say, so that no measure of how random a value looks decides about them. Every row is linear: a literal, then runs of
letters with nothing required after the last but the end of a word.
"""

from __future__ import annotations

from collections.abc import Callable

END_OF_WORD = r"(?![A-Za-z0-9_-])"
HEX_END = r"(?![A-Za-z0-9])"


def mixed(value: str) -> bool:
    """Return whether a value has a digit and a letter: words and placeholders do not."""
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def varied(value: str) -> bool:
    """Return whether a value has upper and lower case and a digit, as random base62 has."""
    return mixed(value) and value.upper() != value and value.lower() != value


def random_after(length: int) -> Callable[[str], bool]:
    """Return a test for values that look drawn at random behind their first characters."""
    return lambda value: varied(value[length:])


Row = tuple[str, str, str, Callable[[str], bool] | None]

# Kind, what a token begins with, how it goes on, and a last test. These are found inside other text as well.
PREFIXED: tuple[Row, ...] = (
    ("anthropic-key", "sk-ant-", r"[A-Za-z0-9_-]{16,}", mixed),
    ("openrouter-key", "sk-or-v1-", r"[0-9a-f]{64}", None),
    ("github-token", "github_pat_", r"[A-Za-z0-9_]{22,}", None),
    ("github-token", "ghp_", r"[A-Za-z0-9_]{36,}", mixed),
    ("github-token", "gho_", r"[A-Za-z0-9_]{36,}", mixed),
    ("github-token", "ghu_", r"[A-Za-z0-9_]{36,}", mixed),
    ("github-token", "ghs_", r"[A-Za-z0-9_.-]{36,}", mixed),
    ("github-token", "ghr_", r"[A-Za-z0-9_]{36,}", mixed),
    *(
        ("gitlab-token", f"gl{kind}-", r"[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]{2,16}){0,3}", mixed)
        for kind in ("pat", "dt", "rt", "cbt", "ptt", "ft", "imt", "oas", "soat", "agent", "wt", "ffct", "rtr")
    ),
    ("gitlab-token", "GR1348941", r"[A-Za-z0-9_-]{20,}", None),
    ("google-client-secret", "GOCSPX-", r"[A-Za-z0-9_-]{28}", None),
    ("cloudflare-token", "cfut_", r"[A-Za-z0-9_-]{40,}", None),
    ("cloudflare-token", "cfat_", r"[A-Za-z0-9_-]{40,}", None),
    ("cloudflare-token", "cfk_", r"[A-Za-z0-9_-]{40,}", None),
    ("stripe-key", "sk_live_", r"[0-9a-zA-Z]{24,}", mixed),
    ("stripe-key", "rk_live_", r"[0-9a-zA-Z]{24,}", mixed),
    ("stripe-key", "sk_test_", r"[0-9a-zA-Z]{24,}", mixed),
    ("stripe-key", "rk_test_", r"[0-9a-zA-Z]{24,}", mixed),
    ("stripe-webhook-secret", "whsec_", r"[A-Za-z0-9+/=]{32,}", None),
    ("slack-token", "xapp-", r"[0-9]-[A-Z0-9]{5,}-[0-9]{5,}-[A-Za-z0-9]{20,}", None),
    *(
        ("slack-token", f"xox{kind}-", r"(?:[0-9]{1,20}-){1,4}[A-Za-z0-9]{8,}", mixed)
        for kind in ("a", "b", "c", "o", "p", "r", "s")
    ),
    ("slack-token", "xoxd-", r"[A-Za-z0-9%+/=_-]{40,}", mixed),
    ("slack-token", "xoxe.xox", r"[bp]-[0-9]-[A-Za-z0-9]{60,}", mixed),
    ("slack-token", "xoxe-", r"[0-9]-[A-Za-z0-9]{60,}", mixed),
    ("slack-webhook", "hooks.slack.com/services/T", r"[A-Za-z0-9_]{6,}/B[A-Za-z0-9_]{6,}/[A-Za-z0-9_]{16,}", None),
    ("discord-webhook", "/api/webhooks/", r"[0-9]{16,20}/[A-Za-z0-9_-]{60,}", None),
    (
        "teams-webhook",
        "webhook.office.com/webhookb2/",
        r"[0-9a-f@-]{60,}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}",
        None,
    ),
    ("digitalocean-token", "dop_v1_", r"[a-f0-9]{64}", None),
    ("newrelic-key", "NRAK-", r"[A-Z0-9]{27}", None),
    ("postman-key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}", None),
    ("supabase-key", "sb_secret_", r"[A-Za-z0-9_-]{22,}", mixed),
    ("sendgrid-key", "SG.", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", None),
    ("pypi-token", "pypi-AgE", r"[A-Za-z0-9_-]{50,}", None),
    ("square-secret", "sq0csp-", r"[A-Za-z0-9_-]{43}", None),
    ("langfuse-key", "sk-lf-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", None),
    ("planetscale-token", "pscale_tkn_", r"[A-Za-z0-9_.=-]{32,}", None),
    ("tailscale-key", "tskey-", r"[a-z]{3,10}-[A-Za-z0-9]{10,}(?:-[A-Za-z0-9]{16,})?", mixed),
    ("doppler-token", "dp.", r"(?:pt|ct|sa|scim|audit|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44}", None),
    ("sentry-token", "sntrys_", r"[A-Za-z0-9+/=_-]{60,}", mixed),
    ("1password-token", "ops_eyJ", r"[A-Za-z0-9+/=_-]{200,}", None),
    ("grafana-token", "glc_eyJ", r"[A-Za-z0-9+/=_-]{50,}", None),
    ("contentful-token", "CFPAT-", r"[A-Za-z0-9_-]{43}", None),
    ("typeform-token", "tfp_", r"[A-Za-z0-9_.=-]{50,}", mixed),
    ("hubspot-token", "pat-na1-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", None),
    ("hubspot-token", "pat-eu1-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", None),
    ("bitbucket-token", "ATCTT3", r"[A-Za-z0-9_=-]{100,}", varied),
    ("paypal-token", "access_token$production$", r"[0-9a-z]{16}\$[0-9a-f]{32}", None),
    ("wandb-key", "wandb_v1_", r"[A-Za-z0-9_-]{60,}", varied),
    ("bedrock-key", "bedrock-api-key-", r"[A-Za-z0-9+/=]{60,}", varied),
    ("packagist-token", "packagist_uut_", r"[0-9a-f]{60,}", None),
    ("mongodb-atlas-secret", "mdb_sa_sk_", r"[A-Za-z0-9_-]{36,}", varied),
    ("linear-token", "lin_oauth_", r"[0-9a-f]{64}", None),
    ("snyk-token", "snyk_uat.", r"[0-9a-f]{8}\.[A-Za-z0-9_-]{60,}", mixed),
    ("logfire-token", "pylf_v1_", r"[a-z]{2,8}_[A-Za-z0-9]{40,}", varied),
    ("razorpay-key", "rzp_live_", r"[A-Za-z0-9]{14}" + END_OF_WORD, varied),
    ("flutterwave-key", "FLWSECK-", r"[0-9a-f]{32}-X", mixed),
    ("plaid-token", "access-production-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", None),
    ("firebase-key", ":APA91b", r"[A-Za-z0-9_-]{120,}", varied),
    ("fly-token", "fm1", r"[ar]_[A-Za-z0-9+/=_,-]{100,}", None),
    ("fly-token", "fm2_", r"[A-Za-z0-9+/=_,-]{100,}", None),
)

# The same for beginnings so short that they must begin a word.
WORDS: tuple[Row, ...] = (
    ("openai-key", "sk-proj-", r"[A-Za-z0-9_-]{20,}", mixed),
    ("openai-key", "sk-svcacct-", r"[A-Za-z0-9_-]{20,}", mixed),
    ("openai-key", "sk-admin-", r"[A-Za-z0-9_-]{20,}", mixed),
    ("openai-key", "sk-", r"[A-Za-z0-9]{32,}", mixed),
    ("twilio-key", "SK", r"[a-f0-9]{32}(?![A-Za-z0-9+/=])", mixed),
    ("elevenlabs-key", "sk_", r"[0-9a-f]{48}" + END_OF_WORD, mixed),
    ("artifactory-token", "AKCp", r"[A-Za-z0-9]{60,80}" + END_OF_WORD, varied),
    ("artifactory-token", "cmVmdGtu", r"[A-Za-z0-9]{56}" + END_OF_WORD, varied),
    ("google-key", "AIza", r"[0-9A-Za-z_-]{35}" + END_OF_WORD, None),
    ("google-access-token", "ya29.", r"[0-9A-Za-z_-]{20,}", None),
    ("google-refresh-token", "1//0", r"[0-9A-Za-z_-]{60,}", varied),
    ("huggingface-token", "hf_", r"[A-Za-z0-9]{30,}", None),
    ("npm-token", "npm_", r"[A-Za-z0-9]{36}" + END_OF_WORD, None),
    ("vault-token", "hvr.", r"[A-Za-z0-9_-]{24,}", mixed),
    ("xai-key", "xai-", r"[A-Za-z0-9]{70,}", None),
    ("mailgun-key", "key-", r"[0-9a-f]{32}" + HEX_END, mixed),
    ("netlify-token", "nfp_", r"[A-Za-z0-9]{36,}", mixed),
    ("fly-token", "fo1_", r"[A-Za-z0-9_-]{43}" + END_OF_WORD, varied),
    ("alibaba-key", "LTAI", r"[A-Za-z0-9]{16,20}" + END_OF_WORD, varied),
    ("tencent-key", "AKID", r"[A-Za-z0-9]{32}" + END_OF_WORD, varied),
    ("yandex-key", "AQVN", r"[A-Za-z0-9_-]{35,38}" + END_OF_WORD, varied),
    ("yandex-token", "y0_", r"[A-Za-z0-9_-]{50,}", varied),
    ("yandex-token", "t1.", r"[A-Za-z0-9_-]{20,}={0,2}\.[A-Za-z0-9_-]{80,}={0,2}", varied),
    ("bitbucket-token", "ATBB", r"[A-Za-z0-9]{32}" + END_OF_WORD, varied),
    ("crates-token", "cio", r"[A-Za-z0-9]{32}" + END_OF_WORD, random_after(3)),
    ("nuget-key", "oy2", r"[a-z0-9]{43}" + END_OF_WORD, mixed),
    ("notion-token", "ntn_", r"[A-Za-z0-9]{40,}", mixed),
    ("notion-token", "secret_", r"[A-Za-z0-9]{43}" + END_OF_WORD, varied),
    ("dropbox-token", "sl.u.", r"[A-Za-z0-9_-]{100,}", varied),
    ("dropbox-token", "sl.", r"[A-Za-z0-9_-]{130,}", varied),
    ("hcaptcha-secret", "ES_", r"[0-9a-f]{32}" + END_OF_WORD, mixed),
    ("sonarqube-token", "sqp_", r"[0-9a-f]{40}", None),
    ("sonarqube-token", "sqa_", r"[0-9a-f]{40}", None),
    ("sonarqube-token", "squ_", r"[0-9a-f]{40}", None),
    ("asana-token", "1/", r"[0-9]{15,17}:[0-9a-f]{32}" + HEX_END, None),
    ("asana-token", "2/", r"[0-9]{15,17}/[0-9]{15,17}:[0-9a-f]{32}" + HEX_END, None),
    ("mapbox-token", "sk.eyJ", r"[A-Za-z0-9_-]{50,}\.[A-Za-z0-9_-]{20,}", None),
    ("tavily-key", "tvly-", r"(?:(?:dev|prod)-)?[A-Za-z0-9]{30,}" + END_OF_WORD, varied),
    ("jina-key", "jina_", r"[0-9a-f]{32}[A-Za-z0-9_-]{28}" + END_OF_WORD, varied),
    ("firecrawl-key", "fc-", r"[0-9a-f]{32}" + END_OF_WORD, mixed),
    ("e2b-key", "e2b_", r"[0-9a-f]{40}" + END_OF_WORD, mixed),
    ("runpod-key", "rpa_", r"[A-Z0-9]{42,46}" + END_OF_WORD, mixed),
    ("browserbase-key", "bb_live_", r"[A-Za-z0-9_-]{27}" + END_OF_WORD, varied),
    ("resend-key", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{24}" + END_OF_WORD, varied),
    ("mandrill-key", "md-", r"[A-Za-z0-9_-]{22}" + END_OF_WORD, varied),
    ("neon-password", "npg_", r"[A-Za-z0-9]{12}" + END_OF_WORD, varied),
    ("buildkite-token", "bkct_", r"[A-Za-z0-9]{60,}", varied),
    ("honeycomb-key", "hcaik_01", r"[a-z0-9]{56}" + END_OF_WORD, mixed),
    ("axiom-token", "xaat-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", None),
    ("salesforce-token", "00D", r"[A-Za-z0-9]{12,15}!AQ[A-Za-z0-9._-]{80,}", varied),
    ("nostr-key", "nsec1", r"[02-9ac-hj-np-z]{58}" + END_OF_WORD, mixed),
)
