"""What secret values look like: precise shapes only, no entropy and no keywords.

The shapes of detect-secrets' regex plugins, taken from that library where they are exact and linear, and shapes it
lacks or where its own cannot be used on hostile text (its JWT, OpenAI and npm patterns are quadratic). Every shape has
hints: substrings of the lower-cased text without which it cannot match, so that clean text costs a substring search.

Every finder is linear in the text: nothing is required after an unbounded run, unless the run can only begin at a
boundary.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from contexts.secrets.prefixes import END_OF_WORD, PREFIXED, WORDS, mixed, varied

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret.

    Attributes:
        kind: Name written in place of the secret.
        hints: Lower-case substrings, one of which every match contains.
        find: Yields the spans of secret parts in a text.
    """

    kind: str
    hints: tuple[str, ...]
    find: Finder


# A letter of an escape sequence (\n, %3D, the m of a colour) is not part of the word that follows it.
_EDGE = re.compile(r"(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=%[0-9A-F]{2})|(?<=\x1b\[[0-9]m)|(?<=\x1b\[[0-9]{2}m)")
_PLACEHOLDER = re.compile(
    r"""(?: \$\{?\w+(?::[-?][^{}]*)?\}?  # a shell variable
          | \{\{?[^{}]*\}?\}            # a template's field
          | <[^<>]*>  | %\(?\w*\)?s?    # fill in, or printf
          | [xX*.]+ | env:.* | \[redacted:.* )\Z""",
    re.VERBOSE,
)
# What may stand between a name and its value: quotes, an assignment, or only spaces.
_ASSIGN = r"""["'\]]{0,2}\s{0,4}(?:=>|:=|[:=,]|\s)\s{0,4}["'(]{0,2}"""


def _pattern(
    pattern: str | re.Pattern[str],
    group: int = 0,
    accept: Callable[[str], bool] | None = None,
    *,
    edge: bool = False,
    behind: str = "",
) -> Finder:
    """Build a finder from a pattern.

    Args:
        pattern: Begins with literals where it can: that makes the search several times faster.
        group: The group that holds the secret alone.
        accept: Decides on the secret part.
        edge: The match must begin a word.
        behind: Pattern of at most 40 characters that must come right before and belongs to the secret.
    """
    compiled = re.compile(pattern)
    before = re.compile(behind + r"\Z")

    def find(text: str) -> Iterator[Span]:
        for match in compiled.finditer(text):
            start, end = match.span(group)
            if behind:
                ahead = before.search(text[max(0, start - 40) : start])
                if ahead is None:
                    continue
                start -= len(ahead.group())
            value = text[start:end]
            if edge and not _EDGE.match(text, start):
                continue
            if value and not _PLACEHOLDER.match(value) and (accept is None or accept(value)):
                yield start, end

    return find


_AWS_ID = re.compile(r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}")
_BASE64_FEW = 6


def _aws_ids(text: str) -> Iterator[Span]:
    """Find AWS key ids, but not the runs of ``A`` that base64 of mostly zero bytes has."""
    for match in _AWS_ID.finditer(text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        alone = not (before.isalnum() or before in {"+", "/"}) and not (after.isalnum() or after == "+")
        if alone or len(set(match.group()[4:])) >= _BASE64_FEW:
            yield match.span()


_DOTTED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{12,}+={0,2}(?:\.[A-Za-z0-9_-]++={0,2}){1,4}")
_JWT_STARTS = 4


def _jwts(text: str) -> Iterator[Span]:
    """Find JSON web tokens: dotted base64url whose first part is a JSON object that names an algorithm."""
    for match in _DOTTED.finditer(text):
        head = match.group().partition(".")[0]
        start = head.find("eyJ")
        for _ in range(_JWT_STARTS):
            if start < 0:
                break
            if _is_jwt_head(head[start:].rstrip("=")):
                yield match.start() + start, match.end()
                break
            start = head.find("eyJ", start + 1)


def _is_jwt_head(part: str) -> bool:
    if len(part) > 8192:
        return False
    try:
        head = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(head, dict) and ("alg" in head or "enc" in head)


KEY_BEGIN = re.compile(
    r"-{4,5}[ ]?BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?[ ]?-{4,5}|PuTTY-User-Key-File-\d"
)
KEY_END = re.compile(r"-{4,5}[ ]?END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?[ ]?-{4,5}|Private-MAC: ?[0-9a-f]+")
_KEY_MARK = re.compile(f"{KEY_BEGIN.pattern}|{KEY_END.pattern}")
_KEY_LONGEST = 20_000
# A line of a key whose end was cut off: base64 or a header, perhaps quoted, escaped or marked as part of a diff.
_KEY_LINE = re.compile(r"(?:\\r|\\n|[\s\"'+>|,-]){0,12}(?:[A-Z][A-Za-z-]{2,20}: [^\n]{1,100}|[A-Za-z0-9+/=]{16,})")


def _private_keys(text: str) -> Iterator[Span]:
    """Find private keys whole, from BEGIN to END, or as far as a key that was cut off goes."""
    marks = [(match.start(), match.end(), match.group()) for match in _KEY_MARK.finditer(text)]
    for number, (start, stop, mark) in enumerate(marks):
        if not KEY_BEGIN.match(mark):
            continue
        following = marks[number + 1] if number + 1 < len(marks) else None
        if following and KEY_END.match(following[2]) and following[0] - stop <= _KEY_LONGEST:
            if any(c.isalnum() for c in text[stop : following[0]].replace("\\n", "")):
                yield start, following[1]
            continue
        end = stop
        while (line := _KEY_LINE.match(text, end)) and not (following and line.end() > following[0]):
            end = line.end()
        if end > stop:
            yield start, end


@cache
def shapes() -> tuple[Shape, ...]:
    """Return all shapes; the first call imports detect-secrets, which costs a fraction of a second."""
    return (*_own(), *_plugins())


@cache
def all_hints() -> frozenset[str]:
    """Return every hint once."""
    return frozenset(hint for shape in shapes() for hint in shape.hints)


def _plugins() -> Iterator[Shape]:
    """Take over detect-secrets' patterns that are exact; the number is the group that holds the secret alone."""
    for module, name, kind, group, hints in (
        ("cloudant", "CloudantDetector", "cloudant-credentials", 1, ("cloudant",)),
        ("github_token", "GitHubTokenDetector", "github-token", 0, ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
        ("gitlab_token", "GitLabTokenDetector", "gitlab-token", 0, ("gl", "gr1348941")),
        ("pypi_token", "PypiTokenDetector", "pypi-token", 0, ("pypi-age",)),
        ("sendgrid", "SendGridDetector", "sendgrid-key", 0, ("sg.",)),
        ("slack", "SlackDetector", "slack-token", 0, ("xox", "hooks.slack.com")),
        ("softlayer", "SoftlayerDetector", "softlayer-credentials", 1, ("softlayer", "sl_", "sl-")),
        ("square_oauth", "SquareOAuthDetector", "square-secret", 0, ("sq0csp-",)),
        ("stripe", "StripeDetector", "stripe-key", 0, ("k_live_",)),
    ):
        plugin = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
        for pattern in plugin.denylist:
            if kind == "gitlab-token" and "glagent" in pattern.pattern:
                continue  # a thousand characters of backtracking at every start; ours is below
            yield Shape(kind, hints, _pattern(pattern, group if pattern.groups else 0))


def _own() -> Iterator[Shape]:
    yield Shape("private-key", ("private key", "putty-user-key-file"), _private_keys)
    yield Shape("aws-access-key", ("akia", "asia", "abia", "acca", "a3t"), _aws_ids)
    yield Shape("json-web-token", ("eyj",), _jwts)
    # RFC 3986 userinfo with a password; the user may be empty (redis).
    yield Shape(
        "url-password",
        ("://",),
        _pattern(r"""://[^\s/?#@:"'<>\\]{0,256}+:([^\s/?#@"'\\]{1,512}+)@""", 1),
    )
    # The secret half of a pair: 40 characters of base64 at AWS, 48 of hex at IBM, 64 at R2; known by its name only.
    yield Shape(
        "secret-access-key",
        ("secret",),
        _pattern(
            r"(?:secret|SECRET|Secret)[_-]?(?:(?:access|ACCESS|Access)[_-]?)?(?:key|KEY|Key)"
            + _ASSIGN
            + r"([0-9a-f]{64}|[0-9a-f]{48}|[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=_-])",
            1,
        ),
    )
    yield Shape(
        "aws-session-token",
        ("session",),
        _pattern(
            r"(?:session|SESSION|Session)[_-]?(?:token|TOKEN|Token)" + _ASSIGN + r"([A-Za-z0-9/+=]{100,})", 1, varied
        ),
    )
    yield Shape(
        "cloudflare-token",
        ("token", "key"),
        _pattern(
            r"(?:cloudflare|CLOUDFLARE|Cloudflare|cf|CF|r2|R2)[_-]?(?:(?:api|API|Api|auth|AUTH)[_-]?)?"
            r"(?:token|TOKEN|Token|key|KEY|Key)" + _ASSIGN + r"([A-Za-z0-9_-]{40}|[0-9a-f]{37})(?![A-Za-z0-9_-])",
            1,
            # Forty digits of hex under such a name are a digest: the key of an object in a bucket, say.
            lambda value: varied(value) or len(value) == 37,
        ),
    )
    yield Shape(
        "bearer-token",
        ("bearer",),
        _pattern(r"(?:Bearer|bearer|BEARER) {1,4}([A-Za-z0-9_-]{40})(?![A-Za-z0-9_.-])", 1, varied),
    )
    yield Shape("azure-storage-key", ("accountkey=",), _pattern(r"AccountKey=([A-Za-z0-9+/=]{88})", 1))
    yield Shape(
        "npm-token",
        ("_authtoken",),
        _pattern(r""":_authToken["']?\s{0,4}=\s{0,4}["']?((?:npm_[^\s"']{8,})|[A-Fa-f0-9-]{36})""", 1),
    )
    yield Shape(
        "mailchimp-key",
        ("-us",),
        _pattern(r"-us[0-9]{1,2}(?![0-9])", 0, mixed, behind=r"(?:(?<![0-9a-z])|(?<=\\[nrtbf])|(?<=m))[0-9a-z]{32}"),
    )
    yield Shape(
        "telegram-token", (":aa",), _pattern(r":AA[0-9A-Za-z_-]{33}" + END_OF_WORD, behind=r"(?<![0-9])[0-9]{8,10}")
    )
    yield Shape(
        "discord-token",
        (".",),
        _pattern(
            r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}" + END_OF_WORD,
            0,
            varied,
            behind=r"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{23,25}",
        ),
    )
    yield Shape(
        "terraform-token",
        (".atlasv1.",),
        _pattern(r"\.atlasv1\.[A-Za-z0-9_=-]{60,70}", behind=r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}"),
    )
    yield Shape(
        "azure-client-secret",
        ("q~",),
        _pattern(r"Q~[A-Za-z0-9_~.-]{31,34}", behind=r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.]{3}[0-9]"),
    )
    for kind, prefix, rest, accept in PREFIXED:
        yield Shape(kind, (_hint(prefix),), _pattern(re.escape(prefix) + rest, 0, accept))
    for kind, prefix, rest, accept in WORDS:
        yield Shape(kind, (_hint(prefix),), _pattern(re.escape(prefix) + rest, 0, accept, edge=True))


def _hint(prefix: str) -> str:
    """Return the part of a beginning that others share, so that it is looked for only once."""
    shared = ("sk-", "_v1_", "shp", "k_test_")
    return next((part for part in shared if part in prefix), prefix.lower())
