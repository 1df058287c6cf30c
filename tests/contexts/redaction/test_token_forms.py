"""Tokens that have a form of their own are found, and what only has the form is left alone."""

from __future__ import annotations

import random

import pytest

from contexts.redaction import redact_text

LOWER, DIGITS, HEX = "abcdefghijklmnopqrstuvwxyz", "0123456789", "0123456789abcdef"
UPPER = LOWER.upper()
drawn = random.Random(20)


def any_of(size: int, letters: str = UPPER + LOWER + DIGITS) -> str:
    return "".join(drawn.choice(letters) for _ in range(size - 3)) + ("aQ7" if "Q" in letters else "7a3")


def uuid() -> str:
    return "-".join(any_of(size, HEX) for size in (8, 4, 4, 4, 12))


FORMS = {
    "tavily": "tvly-" + "dev-" + any_of(32),
    "wandb": "wandb_v1_" + any_of(77),
    "jina": "jina_" + any_of(32, HEX) + any_of(28),
    "firecrawl": "fc-" + any_of(32, HEX),
    "e2b": "e2b_" + any_of(40, HEX),
    "runpod": "rpa_" + any_of(40, UPPER + DIGITS).upper() + "Z9",
    "browserbase": "bb_live_" + any_of(27),
    "bedrock": "bedrock-api-key-" + any_of(100),
    "resend": "re_" + any_of(8) + "_" + any_of(24),
    "razorpay": "rzp_live_" + any_of(14),
    "flutterwave": "FLWSECK-" + any_of(32, HEX) + "-X",
    "plaid": "access-production-" + uuid(),
    "mandrill": "md-" + any_of(22),
    "neon": "npg_" + any_of(12),
    "packagist": "packagist_uut_" + any_of(68, HEX),
    "buildkite": "bkct_" + any_of(80),
    "atlas": "mdb_sa_sk_" + any_of(40),
    "newrelic": any_of(36, HEX) + "NRAL",
    "honeycomb": "hcaik_01" + any_of(56, LOWER + DIGITS),
    "logfire": "pylf_v1_us_" + any_of(43),
    "axiom": "xaat-" + uuid(),
    "linear": "lin_oauth_" + any_of(64, HEX),
    "snyk": "snyk_uat." + any_of(8, HEX) + "." + any_of(120),
    "salesforce": "00D" + any_of(12) + "!AQ" + any_of(90),
    "firebase": "AAAA" + any_of(7) + ":APA91b" + any_of(134),
    "nostr": "nsec1" + any_of(58, "qpzry9x8gf2tvdw0s3jn54khce6mua7l").replace("1", "q"),
    "azure-devops": any_of(76) + "AZDO" + any_of(4),
    "azure-ai": any_of(52) + "JQQJ99" + any_of(26),
    "azure-registry": any_of(42) + "+ACR" + any_of(6),
    "azure-function": any_of(53) + "AzFu" + any_of(6) + "==",
}
MADE_UP = (
    "sk-ant-" + "api03-" + "X" * 20,
    "hooks.slack.com/services/" + "T00000000/B00000000/" + "X" * 24,
    "SG." + "x" * 22 + "." + "x" * 43,
    "SK" + "0123456789ABCDEF" * 2,
    "key-" + "0123456789abcdef" * 2,
    "ghp_" + "x1" * 18,
    "glpat-" + "style-token-prefix-documentation",
    "shpat_" + "placeholder_for_shopify_admin_token_value",
)


@pytest.mark.parametrize("name", FORMS)
def test_a_token_is_found_by_its_form(name: str) -> None:
    text = redact_text(f"said: {FORMS[name]} and more", guesses=False).text
    assert FORMS[name][-20:] not in text
    assert "[redacted:" in text


@pytest.mark.parametrize("text", MADE_UP)
def test_what_was_not_drawn_at_random_is_no_token(text: str) -> None:
    assert redact_text(f'"{text}"', guesses=False).text == f'"{text}"'


@pytest.mark.parametrize(
    "line",
    [
        "re_render_component_after_state_change_is_complete",
        "md-button-large-primary-outline",
        "fc-event-main fc-daygrid-event-harness",
        "npg_cursor.execute(query)",
        "rpa_task_runner_for_invoices = None",
        "const APA91b = nsec1 + AZDO + NRAL",
    ],
)
def test_code_that_begins_like_a_token_is_left_alone(line: str) -> None:
    assert redact_text(line, guesses=False).text == line
