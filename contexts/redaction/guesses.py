"""Guesses: values that only the name beside them, or the place where they stand, makes a secret.

Ordinary code has such places too. So every value is looked at as well: what is a placeholder, a call, the name of
something else or a plain word is no secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from contexts.redaction.patterns import PLACEHOLDER, Shape, Span, pattern
from contexts.redaction.prefixes import mixed, varied

# Where a name ends; written out letter by letter, which is ten times faster to search for than to ignore the case.
_PASSWORD = ("password", "passwd", "passphrase", "pwd", "pass")
_TOKEN = ("token", "secret", "credential", "credentials", "pat", "key", "key_base", "key_id")
_KEYS = (
    "api", "app", "application", "access", "secret", "auth", "encryption", "signing", "private", "master", "service",
    "license", "account", "deploy", "webhook", "jwt", "session", "shared", "storage", "preshared", "subscription",
    "admin", "client", "ssh", "rsa",
)  # fmt: skip
"""What makes a key a secret one."""
# What may stand between a name and its value: quotes that may be escaped, a type, an assignment.
_QUOTES = r"(?:\\{0,3}[\"'`])?"
_TYPED = r"(?::[ \t]{0,2}[A-Za-z]{1,20}(?:[ \t]{0,2}\|[ \t]{0,2}None)?[ \t]{0,2}=(?!=))"
_ASSIGN = rf"{_QUOTES}\]?[ \t]{{0,4}}(?:{_TYPED}|=>|:=|==?|:)[ \t]{{0,4}}"
_QUOTED = r"(?P<quote>\\{0,3}[\"'`])(?P<quoted>(?:(?!(?P=quote))[^\s\\\"]){4,4096})(?P=quote)"
# An assignment of a shell goes on to the next space, whatever letters a password has.
_SHELL = r"(?<=[A-Z0-9_]=)(?P<shell>[^\s\"'<>]{4,4096})"
_BARE = r"(?P<bare>[^\s\"'`<>&;,(){}\[\]\\|]{4,4096})"

_ORDINARY = re.compile(
    r"""(?: [A-Za-z_./:@>*?!-]+                           # words, however they are joined
          | [A-Za-z_][\w.]*\s*[(\[].*[)\]][,;]{0,2}        # a call or a subscript
          | (?:https?|file|arn|env|vault|ref|op|sha\d{0,3}|md5|urn):.*    # something kept elsewhere, a digest
          | sha\d{1,3}-.*
          | (?:\.{0,2}|~)/[\w./-]*                        # a path
          | [$%@{<\[&!]{1,3}[\w.:/ -]*[})\]>%!,;]{0,4}      # a reference, a template, an alias, a tag of YAML
        )\Z""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_MADE_UP = re.compile(
    r"[{]{2}|[$][{(]|<[a-z_ -]{1,40}>|\[redacted:|\#\{|example|changeme|placeholder|dummy|your[-_]|xxxx|\*\*\*|\.\.\.",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)*[,;)]{0,2}\Z")
_NUMBERED = re.compile(
    r"(?i:\w*(?:pass|pwd|token|secret|key|value|arg|hash|str|int|text|user|test|sha|md|param)[a-z_]*\d{0,3})\Z"
)
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_MOST = 4096


def is_ordinary(value: str) -> bool:
    """Say whether a value is a word, a path, a placeholder or code, as ordinary text has them."""
    if _is_scrambled(value):
        return False
    return bool(_ORDINARY.match(value) or PLACEHOLDER.match(value) or _MADE_UP.search(value))


def _is_scrambled(value: str) -> bool:
    """Say whether letters alone change their case as no words do that are joined together."""
    return len(value) >= 12 and value.isalpha() and value.isascii() and len(value) < 2.6 * len(_HUMPS.findall(value))


def _like_a_password(value: str, *, bare: bool) -> bool:
    if len(value) < 6 or is_ordinary(value):
        return False
    if bare and _ATTRIBUTE.match(value) and not varied(value) and (not value.isalnum() or _NUMBERED.match(value)):
        return False
    symbols = any(not c.isalnum() and c not in "-_.:/" for c in value[:-1])
    digits = any(c.isdigit() for c in value)
    if not any(c.isalpha() for c in value):
        return not bare and len(value) >= 8 and digits and symbols
    return digits or _is_scrambled(value) or (symbols and value.lower() != value and not bare)


def _like_a_token(value: str) -> bool:
    if not 16 <= len(value) <= _MOST or is_ordinary(value):
        return False
    if not mixed(value):
        return _is_scrambled(value)
    parts = [part for part in re.split(r"[-_./:@+]", value) if part]
    plain = all(part.isalpha() or (part.isdigit() and len(part) <= 8) or len(part) <= 4 for part in parts)
    return not plain and len(set(value)) >= 8


def _names(words: Iterable[str]) -> re.Pattern[str]:
    def letters(word: str) -> str:
        return "".join(f"[{c}{c.upper()}]" if c.isalpha() else "[_-]" for c in word)

    return re.compile("|".join(letters(word) for word in sorted(words, key=len, reverse=True)))


_PASSWORDS, _TOKENS = _names(_PASSWORD), _names(_TOKEN)
_VALUE = re.compile(rf"{_ASSIGN}(?:{_QUOTED}|{_SHELL}|{_BARE})")
_OPTION = re.compile(r"[ \t]{1,4}[\"']?(?P<quoted>[^\s\"']{4,512})")
_IS_OPTION = re.compile(r"(?<![\w-])--?[a-z-]{0,30}\Z")


_SHORT = 64
"""Characters of a value that is none in which another name is looked for."""


def _assigned(text: str, names: re.Pattern[str], accept: Callable[[str, bool], bool]) -> Iterator[Span]:
    position = 0
    while name := names.search(text, position):
        position = name.end()
        before = text[max(0, name.start() - 32) : name.start()]
        if not _is_whole(name.group().lower().replace("-", "_"), before.lower()):
            continue
        match = _VALUE.match(text, name.end())
        group = "quoted"
        if match is None and _IS_OPTION.search(before):
            match = _OPTION.match(text, name.end())
        elif match is not None:
            group = next(one for one in ("quoted", "shell", "bare") if match[one] is not None)
        if match is None:
            continue
        value = match[group]
        if accept(value.rstrip(".:!?*"), group == "bare"):
            yield match.span(group)
            position = match.end(group)
        elif len(value) > _SHORT:
            position = match.end(group)


def _is_whole(word: str, before: str) -> bool:
    """Say whether a word is the name of a secret behind what stands before it."""
    if word == "pass":
        return before.endswith(("_", "-"))
    if word == "pat":
        return before.endswith("_")
    if word == "key":
        return before[:-1].endswith(_KEYS) if before[-1:] in {"_", "-"} else before.endswith(_KEYS)
    return word != "key_id" or before.rstrip("_-").endswith("private")


def _passwords(text: str) -> Iterator[Span]:
    return _assigned(text, _PASSWORDS, lambda value, bare: _like_a_password(value, bare=bare))


def _tokens(text: str) -> Iterator[Span]:
    return _assigned(text, _TOKENS, lambda value, _: _like_a_token(value))


def _is_user_and_password(value: str) -> bool:
    """Say whether a value is base64 of ``user:password``."""
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except (ValueError, binascii.Error):
        return False
    return ":" in plain and plain.isprintable()


def _command_line(value: str) -> bool:
    return _like_a_password(value, bare=False)


def guesses() -> Iterator[Shape]:
    """Yield the shapes that are guesses."""

    def guess(kind: str, hints: tuple[str, ...], expression: str, accept: Callable[[str], bool] | None = None) -> Shape:
        return Shape(kind, hints, pattern(expression, 1, accept), certain=False)

    yield Shape("password", ("pass", "pwd"), _passwords, certain=False)
    yield Shape("secret-by-name", ("token", "secret", "key", "credential", "_pat"), _tokens, certain=False)
    # RFC 3986 userinfo with a password; the user may be empty (redis).
    yield guess(
        "url-password",
        ("://",),
        r"""://[^\s/?#@:"'<>\\]{0,256}+:([^\s/?#@"'\\]{1,512}+)@""",
        lambda value: not is_ordinary(value) and len(value) >= 3,
    )
    yield guess("url-token", ("://",), r"://([A-Za-z0-9_-]{20,255}+)(?::x-oauth-basic)?@", mixed)
    # The secret half of a pair: 40 characters of base64 at AWS, 48 of hex at IBM, 64 at R2.
    yield guess(
        "secret-access-key",
        ("secret",),
        r"(?i:secret)[_-]?(?:(?i:access)[_-]?)?(?i:key)[\"'\]]{0,2}\s{0,4}(?:=>|:=|[:=,]|\s)\s{0,4}[\"'(]{0,2}"
        r"([0-9a-f]{64}|[0-9a-f]{48}|[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=_-])",
    )
    yield guess(
        "aws-session-token",
        ("session",),
        r"(?i:session)[_-]?(?i:token)[\"'\]]{0,2}\s{0,4}(?:=>|:=|[:=,]|\s)\s{0,4}[\"'(]{0,2}([A-Za-z0-9/+=]{100,})",
        varied,
    )
    yield guess(
        "cloudflare-token",
        ("token", "key"),
        r"(?i:cloudflare|cf|r2)[_-]?(?:(?i:api|auth)[_-]?)?(?i:token|key)[\"'\]]{0,2}\s{0,4}(?:=>|:=|[:=,]|\s)\s{0,4}"
        r"[\"'(]{0,2}([A-Za-z0-9_-]{40}|[0-9a-f]{37})(?![A-Za-z0-9_-])",
        # Forty digits of hex under such a name are a digest: the key of an object in a bucket, say.
        lambda value: varied(value) or len(value) == 37,
    )
    yield guess("bearer-token", ("bearer",), r"(?i:bearer)[ +]{1,4}([A-Za-z0-9._~+/=-]{16,4096})", _like_a_token)
    yield guess(
        "basic-credentials", ("basic",), r"(?i:basic) {1,4}([A-Za-z0-9+/]{8,1024}={0,2})", _is_user_and_password
    )
    yield guess(
        "basic-credentials",
        ("auth",),
        r"(?i:_?auth)\\{0,3}[\"']?\s{0,4}[:=]\s{0,4}(?:\\{0,3}[\"'])?([A-Za-z0-9+/]{8,1024}={0,2})",
        _is_user_and_password,
    )
    yield guess(
        "azure-key", ("accountkey=", "accesskey="), r"(?:Account|Access)Key=([A-Za-z0-9+/]{20,128}={0,2})", varied
    )
    yield guess("azure-signature", ("sig=",), r"[?&;]sig=([A-Za-z0-9%+/=_-]{30,512})", varied)
    yield guess("npm-token", ("_authtoken",), r""":_authToken["']?\s{0,4}=\s{0,4}["']?([A-Za-z0-9_=-]{20,})""", mixed)
    yield guess("wireguard-key", ("privatekey", "presharedkey"), r"(?i:private|preshared)Key ?= ?([A-Za-z0-9+/]{43}=)")
    yield guess(
        "password-hash",
        ("$",),
        r"(\$(?:apr1|1|2[abxy]|5|6|y|7|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+-]{20,512})",
        mixed,
    )
    yield guess(
        "session-cookie",
        ("cookie:",),
        r"(?i:cookie): ?[^\s=;]{1,64}=([^\s;\"']{16,4096})",
        _like_a_token,
    )
    yield guess(
        "netrc-password", ("login",), r"\blogin\s{1,4}\S{1,128}\s{1,8}password\s{1,4}(\S{4,512})", _command_line
    )
    yield guess(
        "password",
        ("curl", "wget", "http"),
        r"\b(?:curl|wget|https?)\b[^\n]{0,100}?\s(?:-u|--user)[ =]{0,2}[\"']?[^\s:\"']{1,128}:([^\s\"']{4,512})",
        _command_line,
    )
    yield guess(
        "password",
        ("mysql", "maria"),
        r"\b(?:mysql|maria)[a-z-]{0,8}\b[^\n]{0,100}?\s-p([^\s\"']{4,512})",
        _command_line,
    )
    yield guess(
        "password",
        ("sshpass", " login", "redis-cli"),
        r"(?:\bsshpass|\blogin\b[^\n]{0,100}?|\bredis-cli\b[^\n]{0,100}?)"
        r"\s-[pa][ =]?[\"']?([^\s\"']{4,512})",
        _command_line,
    )
