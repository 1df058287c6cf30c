"""What prose beside an endpoint says about its contract: sizes, file types, authentication, implied status codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contexts.contracts.model import Code

_SIZE = re.compile(
    r"(?:(?P<word>max(?:imum)?|at most|up to|limit(?:ed)?(?: to)?|<=?|≤|not? (?:more|larger|bigger) than)[\s:]{0,3})?"
    r"(?<![\w.])(?P<amount>\d{1,9}(?:\.\d{1,3})?)\s?(?P<unit>[KMG]i?B|bytes)\b(?P<after>\s{0,2}(?:max|limit))?",
    re.IGNORECASE,
)
_FACTORS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MEDIA = re.compile(r"\b(?:application|multipart|text|image|audio|video)/[a-z0-9.+*-]{1,60}", re.IGNORECASE)
_TYPES = re.compile(
    r"\b(?:[a-z0-9]{2,5}(?:\s?[/,]\s?|\s(?:or|and)\s)){0,8}[a-z0-9]{2,5}\s+(?:only|files|images)\b", re.IGNORECASE
)
FILE_TYPES = frozenset(
    """jpg jpeg png gif webp svg bmp tiff heic pdf csv tsv json xml txt md zip gz tar docx xlsx mp3 mp4 wav parquet
    yaml""".split()  # noqa: SIM905 - a paragraph reads better
)
_IMPLIED = (
    (
        401,
        re.compile(r"\b(?:jwt|bearer|required|authenticated|session|token|api[ -]?key|oauth2?)\b", re.IGNORECASE),
        {"auth", "authentication"},
    ),
    (
        403,
        re.compile(r"\b(?:only|can|may|must|admins?|owners?|roles?|scopes?|forbidden)\b", re.IGNORECASE),
        {"permissions", "permission", "authorization", "roles"},
    ),
    (409, re.compile(r"\b(?:unique|uniqueness|already exists|duplicates?|conflict)\b", re.IGNORECASE), None),
    (
        429,
        re.compile(
            r"\b(?:rate[ -]?limit(?:s|ed|ing)?|throttl(?:e|ed|ing)|\d{1,6} (?:requests|calls|updates) per)\b",
            re.IGNORECASE,
        ),
        None,
    ),
    (413, re.compile(r"\bmax(?:imum)?\.?\s{0,2}\d{1,6}\s?[KMG]i?B\b", re.IGNORECASE), None),
)
_NO_AUTH = re.compile(r"\s*(?:none|no|public|anonymous|not required|optional|open)\b", re.IGNORECASE)


def size_limit(words: str) -> int | None:
    """Return the greatest size in bytes a text allows (``Max 5MB``); binary units, as servers count."""
    for match in _SIZE.finditer(words[:2_000]):
        if match.group("word") or match.group("after"):
            unit = match.group("unit").lower()
            return int(float(match.group("amount")) * _FACTORS[unit[0]])
    return None


def media_types(words: str) -> tuple[str, ...]:
    """Return the media types a text names, in order."""
    return tuple(dict.fromkeys(found.group().lower() for found in _MEDIA.finditer(words[:2_000])))


def file_types(words: str) -> frozenset[str] | None:
    """Return the only file types a text allows (``jpg/png only``), or None."""
    for match in _TYPES.finditer(words[:2_000]):
        names = {part.lower() for part in re.findall(r"[A-Za-z0-9]{2,5}", match.group())}
        found = names & FILE_TYPES
        rest = {name for name in names - found if not re.fullmatch(r"\d{1,4}(?:[kmg]i?b)?|[kmg]i?b", name)}
        if found and rest <= {"or", "and", "only", "files"}:
            return frozenset("jpg" if name == "jpeg" else name for name in found)
    return None


def requires_auth(value: object) -> bool | None:
    """Read an ``auth`` member: true, false, ``Required (JWT)``, ``none``."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value.strip():
        return None
    return not _NO_AUTH.match(value)


def implied_codes(key: str, words: str, pointer: str) -> Iterator[Code]:
    """Yield the status codes the prose of one member implies."""
    for status, pattern, keys in _IMPLIED:
        if keys is not None and key not in keys:
            continue
        if keys is not None and requires_auth(words) is False:
            continue
        match = pattern.search(words[:2_000]) or pattern.search(key.replace("_", " "))
        if match:
            yield Code(status, pointer, match.group())
    if file_types(words) is not None and re.search(r"\bonly\b", words[:2_000], re.IGNORECASE):
        yield Code(415, pointer, "file types")
