"""Which values a spec hands over: ``env:NAME`` wherever it stands, and the credentials of repository URLs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from contexts.json.values import is_object, is_sequence
from contexts.redaction.known_values import know
from contexts.redaction.messages import clean_what_is_told

SHORTEST = 8
"""Characters below which a value is looked for only beside its name: shorter ones stand in ordinary text by chance."""
PLAITS_OWN = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING")
"""Variables that plait itself uses; it hands them to nobody, but their values may come back in a service's message."""
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)\Z")
_SAYS_SECRET = re.compile(
    r"key|token|secret|passw|passphrase|passwd|pwd|pass\b|_pass|cred|auth|_pat\b|dsn|signature", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]+|[A-Z]?[a-z]+(?:[A-Z][a-z]+)*")
_WORDS = re.compile(r"[A-Za-z]{1,24}\d{0,4}(?:[-_. ,/:@+]+(?:[A-Za-z]{1,24}\d{0,4}|\d{1,5}))*\Z")
_PLAIN = re.compile(
    r"""(?: [\d.,:+-]{1,15}                                  # a number, a version, a time, an address
          | (?:\.{0,2}|~)/[\w.@+-]+(?:/[\w.@+-]*)*           # a path
          | [a-z][a-z0-9+.-]*://[^/?\#@\s]*(?:/[^?\#@\s]*)?  # a URL without credentials
        )\Z""",
    re.VERBOSE,
)
_LINE = 16
_MEMBER = 20


def know_values_of(spec: Any, *urls: str | None) -> None:
    """Look from now on for the values that a spec hands over.

    Args:
        spec: The spec as it was written.
        *urls: Repositories that were named beside it.
    """
    secrets: dict[str, str] = {}
    ordinary: dict[str, str] = {}
    for name, value in _values(spec, urls):
        for own, part in _parts(name, value):
            if is_secret(own, part):
                secrets[f"{own}\0{part}"] = part
            elif len(part) >= 4 and _SAYS_SECRET.search(own):
                ordinary[f"{own}\0{part}"] = part
    if secrets or ordinary:
        clean_what_is_told()
    for name, value in secrets.items():
        know({name.partition("\0")[0]: value})
    for name, value in ordinary.items():
        know({}, {name.partition("\0")[0]: value})


def is_secret(name: str, value: str) -> bool:
    """Say whether a value is looked for wherever it stands.

    Not those of fewer than eight characters, nor plain words, numbers, paths and addresses (``development``,
    ``localhost:8080``, ``/srv/app``): they stand in ordinary text for other reasons. Several words joined together are
    one where the variable's name says so (``DEPLOY_TOKEN=correct-horse-battery``).
    """
    if len(value) < SHORTEST or _PLAIN.match(value) or _WORD.fullmatch(value):
        return False
    if value.startswith("/") and os.path.lexists(value):
        return False
    return bool(_SAYS_SECRET.search(name)) or not _WORDS.match(value)


def _values(spec: Any, urls: tuple[str | None, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and value of everything that is handed over."""
    for key, text in _texts(spec):
        if reference := _REFERENCE.match(text):
            value = os.environ.get(reference[1])
            if value:
                yield reference[1], value
                if key != reference[1] and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
                    yield key, value
        elif key == "path":
            yield from _credentials("repository", text)
    for url in urls:
        yield from _credentials("repository", url or "")
    for name in PLAITS_OWN:
        if value := os.environ.get(name):
            yield name, value


def _texts(spec: Any) -> Iterator[tuple[str, str]]:
    """Yield every string of a JSON value with the key it stands under."""
    stack: list[tuple[str, Any]] = [("", spec)]
    while stack:
        key, node = stack.pop()
        if isinstance(node, str):
            yield key, node
        elif is_object(node):
            stack.extend(node.items())
        elif is_sequence(node):
            stack.extend((key, item) for item in node)


def _parts(name: str, value: str) -> Iterator[tuple[str, str]]:
    """Yield a value, and what in it is a secret by itself: credentials of a URL, lines of a key, members of JSON."""
    stripped = value.strip()
    yield name, stripped
    yield from _credentials(name, stripped)
    if "\n" in stripped:
        yield from ((name, line) for line in map(str.strip, stripped.splitlines()) if len(line) >= _LINE)
    if stripped.startswith("{"):
        try:
            members = orjson.loads(stripped)
        except orjson.JSONDecodeError:
            return
        for key, text in _texts(members):
            if len(text) >= _MEMBER and _SAYS_SECRET.search(key):
                yield name, text.strip()
                yield from ((name, line) for line in text.splitlines() if len(line) >= _LINE)


def _credentials(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the password of a URL, or its user where there is none: a token stands there."""
    if "://" not in text or "@" not in text:
        return
    try:
        parts = urlsplit(text)
    except ValueError:
        return
    for secret in (parts.password, parts.username if parts.password in {None, "", "x-oauth-basic"} else None):
        if secret:
            yield f"{name}_credentials", secret
            yield f"{name}_credentials", unquote(secret)
