"""Secret values leave every document, log and diff; everything else stays as it is."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.secrets import redact, redact_text
from contexts.secrets.shapes import shapes

REFERENCE = Path(__file__).parents[2] / "../shared/reference"
WORD = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY" * 4

# Assembled from halves, so that this file itself holds no secret.
TOKENS = {
    "aws-access-key": "AKIA" + "IOSFODNN7EXAMPLE",
    "github-token": "ghp_" + WORD[:36],
    "gitlab-token": "glpat-" + WORD[:20],
    "anthropic-key": "sk-ant-" + "api03-" + WORD[:60],
    "openai-key": "sk-proj-" + WORD[:48],
    "google-key": "AIza" + WORD[:35],
    "slack-token": "xoxb-" + "123456789012-123456789012-" + WORD[:24].lower(),
    "stripe-key": "sk_live_" + WORD[:24],
    "sendgrid-key": "SG." + WORD[:22] + "." + WORD[:43],
    "npm-token": "npm_" + WORD[:36],
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + WORD[:70],
    "twilio-key": "SK" + "0123456789abcdef" * 2,
    "huggingface-token": "hf_" + WORD[:34],
    "cloudflare-token": "cfut_" + WORD[:48],
    "telegram-token": "110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsa" + "wx",
    "json-web-token": jwt.encode({"sub": "1"}, "k" * 32, algorithm="HS256"),
    "mailchimp-key": "0123456789abcdef" * 2 + "-us12",
    "digitalocean-token": "dop_v1_" + "0123456789abcdef" * 4,
}
PRIVATE_KEY = (
    "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA75\nabcdefghijklmnopqrst\n-----END RSA PRIVATE " + "KEY-----"
)


def at(value: object, pointer: str) -> object:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@pytest.mark.parametrize("kind", TOKENS)
def test_only_the_secret_part_of_a_string_is_replaced(kind):
    done = redact({"notes": ["fine", f"the token {TOKENS[kind]} was used"]})
    assert done.value == {"notes": ["fine", f"the token [redacted:{kind}] was used"]}
    assert [(hit.pointer, hit.kind) for hit in done.hits] == [("/notes/1", kind)]


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_is_found_after_escapes_colours_and_quotes(kind):
    for before in ('"', "\\n", "=", "\x1b[32m", "token%3D", "(", "\n", ": "):
        assert TOKENS[kind] not in redact_text(f"x{before}{TOKENS[kind]}\n").text, before


def test_a_key_of_an_object_is_searched_and_its_pointer_does_not_repeat_the_secret():
    token, other = TOKENS["github-token"], TOKENS["github-token"].replace("a", "b")
    done = redact({"a/b": {token: 1, other: 2, "plain": 3}})
    assert done.value == {"a/b": {"[redacted:github-token]": 1, "[redacted:github-token]-2": 2, "plain": 3}}
    assert [hit.pointer for hit in done.hits] == ["/a~1b/[redacted:github-token]", "/a~1b/[redacted:github-token]-2"]


def test_the_secret_half_of_a_pair_is_known_by_the_name_beside_it():
    secret = WORD[:40]
    r2 = "0123456789abcdef" * 4
    for document, pointer in (
        ({"aws_secret_access_key": secret}, "/aws_secret_access_key"),
        ({"R2_SECRET_ACCESS_KEY": r2}, "/R2_SECRET_ACCESS_KEY"),
        ({"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": secret}]}, "/env/0/value"),
        ({"argv": ["aws", "--secret-access-key", secret]}, "/argv/2"),
        ({"log": f"export AWS_SECRET_ACCESS_KEY={secret}\nnext"}, "/log"),
        ({"log": json.dumps({"secretAccessKey": secret})}, "/log"),
        ({"cloudflare_api_token": WORD[:40]}, "/cloudflare_api_token"),
    ):
        done = redact(document)
        assert [hit.pointer for hit in done.hits] == [pointer], document
        assert secret not in json.dumps(done.value)
        assert r2 not in json.dumps(done.value)


def test_names_of_secrets_digests_and_references_are_not_secrets():
    document = {
        "env": {"AWS_SECRET_ACCESS_KEY": "env:AWS_SECRET_ACCESS_KEY", "R2_SECRET_ACCESS_KEY": "env:R2_SECRET"},
        "names": ["R2_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY", "secret_key", "JWT authentication on all endpoints"],
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit": "5132fb3aa0c55ad015a3bf4f1b2b0b822cd15d6c",
        "r2_key": "5132fb3aa0c55ad015a3bf4f1b2b0b822cd15d6c",
        "uuid": "123e4567-e89b-12d3-a456-426614174000",
        "lock": "sha512-" + base64.b64encode(bytes(range(64))).decode(),
        "urls": ["https://example.com:8080/a@b", "redis://:${REDIS_PASSWORD}@cache:6379", "git@github.com:a/b.git"],
        "docs": ["postgres://user:{password}@host/db", "Authorization: Bearer <token>", "sk-ant-...", "task-sk-impl"],
        "code": 'if "-----BEGIN PRIVATE ' + 'KEY-----" in text: raise ValueError("BEGIN RSA PRIVATE KEY")',
        "text": "disk-space task-impl risk-free; aws secret access key rotation; session token; APACHE license",
    }
    done = redact(document)
    assert done.hits == ()
    assert done.value is document


def test_the_reference_documents_hold_no_secret():
    if not REFERENCE.is_dir():
        pytest.skip(f"{REFERENCE} is not there")
    for path in sorted((REFERENCE / "documents").glob("*.json")):
        assert redact(json.loads(path.read_text())).hits == (), path.name
    assert redact_text((REFERENCE / "parallel-workflow-example.txt").read_text()).hits == ()


def test_images_fonts_and_lock_files_hold_no_secret():
    dice = random.Random(7)
    noise = base64.b64encode(dice.randbytes(300_000)).decode()
    mostly_zero = base64.b64encode(
        b"".join(dice.choice([b"\0\x12\0", b"\0\0\0", b"\x04\x80\0"]) for _ in range(50_000))
    )
    lock = "\n".join(f'"integrity": "sha512-{base64.b64encode(dice.randbytes(64)).decode()}"' for _ in range(2000))
    uv = "\n".join(f'hash = "sha256:{dice.randbytes(32).hex()}", size = {dice.randrange(9**9)}' for _ in range(2000))
    for text in (noise, mostly_zero.decode(), lock, uv):
        assert redact_text(text).hits == ()
    own = Path(__file__).parents[2] / "uv.lock"
    assert redact_text(own.read_text()).hits == ()


def test_a_private_key_is_redacted_as_a_whole():
    done = redact_text(f"before\n{PRIVATE_KEY}\nafter\n")
    assert done.text == "before\n[redacted:private-key]\nafter\n"
    assert [(hit.line, hit.kind) for hit in done.hits] == [(2, "private-key")]


def test_a_private_key_goes_in_every_dress():
    body = PRIVATE_KEY.splitlines()
    for dressed in (
        json.dumps({"private_key": PRIVATE_KEY}),
        "\n".join("+" + line for line in body),
        "\n".join("  > " + line for line in body),
        "\n".join(body[:-1]),
        "noise " + "\\n".join(body),
    ):
        text = redact_text(dressed).text
        assert "MIIE" not in text, dressed
        assert "abcdefghijklmnopqrst" not in text, dressed
    listed = redact({"key": ["a", *body, "z"]})
    assert "abcdefghijklmnopqrst" not in json.dumps(listed.value)
    assert listed.value["key"][0] == "a"
    assert listed.value["key"][-1] == "z"


def test_two_keys_with_text_between_leave_the_text():
    assert redact_text(f"{PRIVATE_KEY}\nkeep me\n{PRIVATE_KEY}").text == (
        "[redacted:private-key]\nkeep me\n[redacted:private-key]"
    )


def test_a_password_in_a_url_goes_and_the_url_stays():
    password = "hunter" + "2!$x"
    done = redact_text(f"fatal: could not read from https://me:{password}@example.com/r.git")
    assert done.text == "fatal: could not read from https://me:[redacted:url-password]@example.com/r.git"
    assert redact_text("redis://:" + password + "@h").text == "redis://:[redacted:url-password]@h"


def test_lines_of_hits_are_those_of_the_text_as_given():
    text = "\n".join(["a", PRIVATE_KEY, "b", TOKENS["github-token"], "", TOKENS["stripe-key"]])
    assert [(hit.line, hit.kind) for hit in redact_text(text).hits] == [
        (2, "private-key"),
        (7, "github-token"),
        (9, "stripe-key"),
    ]


def test_redacting_twice_changes_nothing_more():
    text = "\n".join([*TOKENS.values(), PRIVATE_KEY, "https://a:" + "bcdefg@h"])
    once = redact_text(text).text
    assert once != text
    again = redact_text(once)
    assert (again.text, again.hits) == (once, ())


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@given(documents, documents, st.sampled_from(sorted(TOKENS)))
def test_every_pointer_leads_to_the_redacted_value_and_the_rest_is_untouched(before, after, kind):
    document = {"before": before, "deep": [[{"here": f"<{TOKENS[kind]}>"}]], "after": after}
    done = redact(document)
    assert at(done.value, "/deep/0/0/here") == f"<[redacted:{kind}]>"
    assert [hit.pointer for hit in done.hits] == ["/deep/0/0/here"]
    assert (done.value["before"], done.value["after"]) == (before, after)
    assert list(done.value) == list(document)


HOSTILE = (
    *(
        "a",
        "aA0",
        "0a",
        "-",
        "\\n",
        "eyJ",
        "eyJ.",
        "eyJ=",
        "sk-",
        "sk-proj-",
        "glagent-",
        "glpat-a",
        "://",
        "://a:",
        "://a:b",
    ),
    *("secret_key=", "secret_key ", "secretkey", "cf_token=", "cloudant_key=", "clkey=", "softlayer_key=", "[sl_key"),
    *(
        "session_token=",
        "-us",
        "0-us1",
        "xoxb-1-",
        "https://hooks.slack.com/services/T",
        "//:_authToken=",
        ":AA",
        "1:AA",
    ),
    *(
        "a.b.c.",
        "aaaaaaaaaaaaaa.atlasv1.",
        "1Q~",
        "Bearer a",
        "xapp-1-AAAAA-11111-",
        "AKIA",
        "A3T",
        "pypi-AgEIcHlwaS5vcmc",
    ),
    *("-----BEGIN PRIVATE " + "KEY-----\n", "-----BEGIN A ", "-----BEGIN PRIVATE " + "KEY-----\nMIIE", "BEGIN END "),
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_nothing_backtracks_on_a_hostile_megabyte(unit):
    text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    redact_text(text)  # one that backtracks takes hours, and ends by the suite's own time-out


def test_every_hint_is_lower_case_and_part_of_what_its_shape_finds():
    kinds = {shape.kind for shape in shapes()}
    assert set(TOKENS) <= kinds
    for shape in shapes():
        assert all(hint == hint.lower() for hint in shape.hints)
    for kind, token in TOKENS.items():
        finding = [shape for shape in shapes() if next(shape.find(token), None)]
        assert kind in {shape.kind for shape in finding}
        assert all(any(hint in token.lower() for hint in shape.hints) for shape in finding), kind


@pytest.mark.usefixtures("outside")
def test_importing_the_scanner_does_not_import_detect_secrets():
    code = (
        "import sys, contexts.secrets; sys.exit(any(m.startswith(('detect_secrets', 'requests')) for m in sys.modules))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_kinds_are_plain_words():
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", shape.kind) for shape in shapes())
