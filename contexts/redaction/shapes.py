"""Tokens with a form of their own that Kingfisher's rules lack, or of which they take less than the whole.

Every shape has hints: substrings of the lower-cased text without which it cannot match, so that clean text costs a
substring search. Every finder is linear in the text: nothing is required after an unbounded run, unless the run can
only begin at a boundary.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from functools import cache

from contexts.redaction.guesses import guesses
from contexts.redaction.patterns import Shape, Span, at_edge, pattern
from contexts.redaction.prefixes import END_OF_WORD, PREFIXED, WORDS, mixed, varied

_AWS_ID = re.compile(r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}")
_BASE64_FEW = 6
_DOCUMENTED = "EXAMPLE"


def _aws_ids(text: str) -> Iterator[Span]:
    """Find AWS key ids, but not the runs of ``A`` that base64 of mostly zero bytes has, nor those of AWS's own docs."""
    for match in _AWS_ID.finditer(text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        alone = not (before.isalnum() or before in {"+", "/"}) and not (after.isalnum() or after == "+")
        if (
            at_edge(text, match.start())
            and (alone or len(set(match.group()[4:])) >= _BASE64_FEW)
            and not match.group().endswith(_DOCUMENTED)
        ):
            yield match.span()


def _documented_ids(text: str) -> Iterator[Span]:
    yield from (match.span() for match in _AWS_ID.finditer(text) if match.group().endswith(_DOCUMENTED))


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
_KEY_SHORTEST = 30  # letters; a true one has hundreds
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
            if _is_key_body(text[stop : following[0]]):
                yield start, following[1]
            continue
        end = stop
        while (line := _KEY_LINE.match(text, end)) and not (following and line.end() > following[0]):
            end = line.end()
        if _is_key_body(text[stop:end]):
            yield start, end


def _is_key_body(text: str) -> bool:
    """Say whether what follows a BEGIN is a key, and not a template or the end of a constant that looks for one."""
    letters = re.sub(r"\\[nr]|[^A-Za-z0-9+/=]", "", text)
    return len(letters) >= _KEY_SHORTEST and varied(letters)


@cache
def shapes() -> tuple[Shape, ...]:
    """Return all shapes, the certain ones first; those by name are guesses (`contexts.redaction.guesses`)."""
    return (*_own(), *guesses())


@cache
def all_hints() -> frozenset[str]:
    """Return every hint once."""
    return frozenset(hint for shape in shapes() for hint in shape.hints)


# Tokens that are known by a mark within them: kind, mark, and the whole.
_MARKED = (
    ("newrelic-ingest-key", "NRAL", r"[0-9a-f]{36}NRAL"),
    ("azure-devops-token", "AZDO", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"),
    ("azure-ai-key", "JQQJ99", r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{24,30}"),
    ("azure-registry-key", "+ACR", r"[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9]{6}"),
    ("azure-function-key", "AzFu", r"[A-Za-z0-9_-]{44,56}AzFu[A-Za-z0-9_-]{6,8}={0,2}"),
)


def _own() -> Iterator[Shape]:
    yield Shape("private-key", ("private key", "putty-user-key-file"), _private_keys)
    yield Shape("aws-access-key", ("akia", "asia", "abia", "acca", "a3t"), _aws_ids)
    yield Shape("aws-access-key", ("example",), _documented_ids, certain=False)
    yield Shape("json-web-token", ("eyj",), _jwts)
    yield Shape(
        "mailchimp-key",
        ("-us",),
        pattern(r"-us[0-9]{1,2}(?![0-9])", 0, mixed, behind=r"(?:(?<![0-9a-z])|(?<=\\[nrtbf])|(?<=m))[0-9a-z]{32}"),
    )
    yield Shape(
        "telegram-token", (":aa",), pattern(r":AA[0-9A-Za-z_-]{33}" + END_OF_WORD, behind=r"(?<![0-9])[0-9]{8,10}")
    )
    yield Shape(
        "discord-token",
        (".",),
        pattern(
            r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}" + END_OF_WORD,
            0,
            varied,
            behind=r"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{23,25}",
        ),
    )
    yield Shape(
        "terraform-token",
        (".atlasv1.",),
        pattern(r"\.atlasv1\.[A-Za-z0-9_=-]{60,70}", behind=r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}"),
    )
    yield Shape(
        "azure-client-secret",
        ("q~",),
        pattern(r"Q~[A-Za-z0-9_~.-]{31,34}", behind=r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.]{3}[0-9]"),
    )
    for kind, mark, expression in _MARKED:
        whole = rf"(?<![A-Za-z0-9+/_-]){expression}(?![A-Za-z0-9+/=_-])"
        yield Shape(kind, (mark.lower(),), pattern(whole, 0, varied))
    for kind, prefix, rest, accept in PREFIXED:
        yield Shape(kind, (_hint(prefix),), pattern(re.escape(prefix) + rest, 0, accept))
    for kind, prefix, rest, accept in WORDS:
        yield Shape(kind, (_hint(prefix),), pattern(re.escape(prefix) + rest, 0, accept, edge=True))


def _hint(prefix: str) -> str:
    """Return the part of a beginning that others share, so that it is looked for only once."""
    shared = ("sk-", "_v1_", "shp", "k_test_", "k_live_", "pscale_", "lsv2_", "ccip", "sntry")
    lowered = prefix.lower()
    return next((part for part in shared if part in lowered), lowered)
