"""Secret values leave every document, log and diff; everything else stays as it is."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.redaction import KnownLines, know, redact, redact_text
from contexts.redaction.shapes import shapes
from contexts.redaction.spec_values import is_secret
from tests.contexts.synthetic_secrets import synthetic_secrets
from tests.document_sets import DocumentSet, read
from tests.reference import TEXT

HEX = "7f3a9c1e5b8d2046e4c7a1905fd83b62" * 2
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
    "twilio-key": "SK" + HEX[:32],
    "huggingface-token": "hf_" + WORD[:34],
    "cloudflare-token": "cfut_" + WORD[:48],
    "telegram-token": "110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsa" + "wx",
    "json-web-token": jwt.encode({"sub": "1"}, "k" * 32, algorithm="HS256"),
    "mailchimp-key": HEX[:32] + "-us12",
    "digitalocean-token": "dop_v1_" + HEX[:64],
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
    r2 = HEX[:64]
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


def test_the_documents_of_a_set_hold_no_secret(documents: DocumentSet):
    for path in documents.paths:
        assert redact(read(path)).hits == (), path.name
        assert redact_text(path.read_text(encoding="utf-8")).hits == (), path.name


@pytest.mark.reference
def test_the_text_about_the_reference_holds_no_secret():
    assert redact_text(TEXT.read_text(encoding="utf-8")).hits == ()


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
    own = Path(__file__).parents[3] / "uv.lock"
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
    *(
        "password=",
        "password: ",
        "password_",
        'pass="',
        "token",
        "key=aA0",
        "secret_key=aA0bB1cC2dD3eE4f ",
        "--",
        "--a-",
    ),
    *("curl ", "curl -u a:", "mysql ", "docker login ", "login a password ", "Cookie: a=", "$2a$", "Basic ", "bearer "),
    *(
        " ",
        "\n ",
        " \\\n",
        "\\",
        "%41",
        "%25",
        "&amp;",
        "\\u0041",
        "\x1b[1m",
        "Zq8-",
        "Zq8-internal-7f3a9c1e5b2",
        "WnE4LWludGVy",
    ),
)


SCAN = """
import sys
from contexts.redaction import know, redact_text
know({"KEY": "Zq8-internal-7f3a9c1e5b2d"})
for unit in sys.stdin.read().split("\\0"):
    redact_text((unit * (400_000 // len(unit) + 1))[:400_000])
"""


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("outside")
def test_nothing_backtracks_on_hostile_text():
    # What takes the square of its text would take hours; some forty units take some twenty seconds of one core.
    subprocess.run(
        [sys.executable, "-c", SCAN],
        cwd=Path(__file__).parents[3], input="\0".join(HOSTILE), text=True, check=True, timeout=800,
    )  # fmt: skip


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
def test_importing_the_scanner_does_not_load_the_rules():
    code = "import sys, contexts.redaction; sys.exit('kingfisher_sdk' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def left_over(secrets, text):
    """Return whether eight letters in a row of a secret are still there."""
    text = re.sub(r"\[redacted:[a-z0-9-]+\]", "\0", text)
    return any(secret[at : at + 8] in text for secret in secrets for at in range(max(1, len(secret) - 7)))


@pytest.mark.parametrize("seed", range(3))
def test_secrets_of_every_kind_are_taken_out_whole_of_logs_and_documents(seed):
    missed = []
    for one in synthetic_secrets(seed):
        line = f"2026-01-01 INFO cfg {one.text}"
        texts = (redact_text(line).text, json.dumps(redact({"log": [line]}).value))
        missed += [one.kind for text in texts if left_over(one.secrets, text)]
    assert missed == []


def test_the_forms_of_tokens_are_certain_and_names_are_guesses():
    certain = [one.kind for one in synthetic_secrets(1) if redact_text(one.text, guesses=False).hits]
    assert len(certain) >= 150
    for kind in ("password in the environment", "basic authorization", "azure storage key", "netrc", "api key in JSON"):
        assert kind not in certain


ORDINARY = (
    """
url = "postgres://postgres:postgres@localhost/test"  # redis://[[username]:[password]]@host
aws_access_key_id = "AKIA" "IOSFODNN7EXAMPLE"; id = @ID; SECRET = @SECRET
BEGIN = "-----BEGIN RSA PRIVATE @KEY-----"
PEM = "-----BEGIN PRIVATE @KEY-----\\n%s\\n-----END PRIVATE @KEY-----"
password: str | None = None; def login(user: str, password: str = "") -> Token: ...
password = <your-password>; api_key = "xxxxxxxxxxxxxxxxxxxx"; TOKEN=${TOKEN}; secret: ${{ secrets.TOKEN }}; key = "changeme"
token = os.environ["GITHUB_TOKEN"]; secret = process.env.CLIENT_SECRET; password = get_password(user); pwd = getpass()
self.password = password; api_key=settings.API_KEY, access_token=response.json()["access_token"]; next_token: NextToken
Authorization: Bearer <token>; "Authorization": f"Bearer {token}"; headers["X-API-Key"] = api_key; Basic authentication
password: string; "password": "Passwords do not match"; token_type=bearer; SECRET_NAME = "my-application-secret-name"
""".replace("@KEY", "KEY")
    .replace("@ID", "AKIA" + "IOSFODNN7EXAMPLE")
    .replace("@SECRET", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY")
)


def test_ordinary_code_is_never_rewritten():
    assert redact_text(ORDINARY, guesses=False).text == ORDINARY
    told = {line for line, text in enumerate(ORDINARY.splitlines(), 1) if redact_text(text).hits}
    assert told <= {3}, "a documented example is at most a guess"


def test_a_known_value_goes_in_every_dress_and_ordinary_ones_stay():
    value = 'Kx7-"quoted" and/or+spaced 9b'
    know({"SOME_KEY": value})
    lines = (
        json.dumps(json.dumps({"v": value})),
        f"{value[:11]}\n   {value[11:]}",
        base64.b64encode(b"a" + value.encode()).decode(),
    )
    for text in (
        *lines,
        urllib.parse.quote_plus(value),
        urllib.parse.quote(urllib.parse.quote(value)),
        value.encode().hex(),
    ):
        done = redact_text(f"before {text} after", guesses=False)
        assert [(hit.kind, hit.certain) for hit in done.hits] == [("env-some-key", True)], text
        assert done.text.startswith("before ")
        assert done.text.endswith(" after")
    split = redact({"lines": ["a", value[:9], value[9:], "z"]})
    assert split.value == {"lines": ["a", "[redacted:env-some-key]", "[redacted:env-some-key]", "z"]}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MYKEY", "Zq8-internal-7f3a9c1e5b2d", True),
        ("SOMETHING", "k3j5h8s2", True),
        ("DEPLOY_TOKEN", "correct-horse-battery", True),
        ("PROJECT", "my-project-name", False),
        ("MODE", "development", False),
        ("DB_PASSWORD", "postgres", False),
        ("HOST", "localhost:8080", False),
        ("REGION", "us-east-1", False),
        ("API_URL", "https://api.example.com/v1", False),
        ("CREDENTIALS", "/etc/keys/account.json", False),
        ("TOKEN", "short1", False),
        ("NUMBER", "1234567890", False),
    ],
)
def test_which_values_are_looked_for_wherever_they_stand(name, value, expected):
    assert is_secret(name, value) is expected


def test_lines_that_come_one_by_one_wait_for_a_value_that_goes_on():
    value = "Wq5-streamed-8d7c6b5a4f3e"
    know({"STREAMED": value})
    said: list[str] = []
    lines = KnownLines(said.append)
    for line in ("begin", f"it is {value[:12]}", f"{value[12:]} so", f"cut {value[:9]}", "other", value):
        lines.take(line)
    lines.close()
    assert "\n".join(said) == "begin\nit is [redacted:env-streamed]\n so\ncut Wq5-strea\nother\n[redacted:env-streamed]"


def test_kinds_are_plain_words():
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", shape.kind) for shape in shapes())
