"""Endpoint names such as ``GET /items/{id}``: found in text, brought to one form."""

from __future__ import annotations

import re
from collections.abc import Iterator

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
_NAME = re.compile(r"\s*(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE)\s{1,4}(\S{1,300})\s*\Z", re.IGNORECASE)
_MENTION = re.compile(
    r"(?<![A-Za-z])((?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)(?:/(?:GET|POST|PUT|PATCH|DELETE))?) {1,2}"
    r"(/[^\s,;\"'`]{0,200})"
)
_PARAMETER = re.compile(r":[A-Za-z_]\w*\??|\{[^{}/]*\}|<[^<>/]*>|\[[^\[\]/]*\]|\$\{[^{}/]*\}")
_HOST = re.compile(r"https?://[^/]{0,255}", re.IGNORECASE)


def template(path: str) -> str:
    """Bring ``:id``, ``{id}``, ``<int:id>``, ``[id]`` and ``${id}`` to ``{}``; drop host, query and end slash."""
    bare = _HOST.sub("", path, count=1).split("#", 1)[0]
    bare = bare.split("?", 1)[0] if "?" in bare and not bare.endswith("?") else bare
    parts = ("{}" if _PARAMETER.fullmatch(part) else part for part in bare.strip("/").split("/"))
    return "/" + "/".join(parts)


def endpoint_name(text: str) -> tuple[str, str] | None:
    """Read a whole text as method and path template, or None."""
    match = _NAME.match(text) if len(text) <= 320 else None
    if match is None or not match.group(2).startswith(("/", "http://", "https://")):
        return None
    return match.group(1).upper(), template(match.group(2))


def mentions(text: str) -> Iterator[tuple[str, str]]:
    """Yield every endpoint a prose text names, as method and path template."""
    for match in _MENTION.finditer(text):
        path = match.group(2).rstrip(".:)!?*")
        if path.count("{") > path.count("}"):
            path += "}"
        for method in match.group(1).split("/"):
            yield method, template(path)


def resource(path: str) -> str:
    """Return what a path template is about: its segments without parameters, ``api``, and all up to a version.

    What stands before a version is the name of the whole, as in ``/billing/v2/plans``; a resource below another, as in
    ``/orders/{id}/invoice``, may be another service's.
    """
    parts = [part for part in path.split("/") if part and part not in {"{}", "api"}]
    versions = [index for index, part in enumerate(parts) if re.fullmatch(r"v\d{1,3}", part)]
    behind = parts[versions[-1] + 1 :] if versions else parts
    return "/".join(behind)
