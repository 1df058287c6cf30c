"""What may leave a workspace: rules for paths and links, and the globs that say who owns what."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from contexts.redaction import redact_text

MAX_FILE_BYTES = 50_000_000
SECRET_NAME = "its name holds a secret value"  # noqa: S105 a reason, no password
_DOT_GIT = re.compile(r"(?:\.git|git~\d)(?:[ .]*|:.*)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refused:
    """A path that was left out, and why, as a clause for a person."""

    path: str
    why: str


def readable(path: str) -> str:
    """Return a path as documents may hold it: what is not UTF-8, not printable or a backslash is written as ``%XX``."""
    text = "".join(f"%{ord(character) & 0xFF:02X}" if _unwritable(character) else character for character in path)
    return re.sub(r"^([A-Za-z]):", r"\1%3A", text)


def _unwritable(character: str) -> bool:
    """Say whether a character of a file name is a control character, a backslash, or a byte that is not UTF-8."""
    return character < " " or character in "\\\x7f" or "\udc80" <= character <= "\udcff"


def why_refused_path(path: str) -> str | None:
    """Say why a relative path must not be taken over, None where it may."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
        return "its name holds control characters"
    for part in path.split("/"):
        # Zero-width characters vanish on some file systems, which would turn the name into .git there.
        plain = "".join(character for character in part if unicodedata.category(character) != "Cf")
        if _DOT_GIT.match(plain) or part in {"", ".", ".."}:
            return "its name is one git keeps for itself"
    if redact_text(path, guesses=False).hits:
        return SECRET_NAME
    return None


def why_refused_link(path: str, target: str) -> str | None:
    """Say why a symbolic link must not be taken over, None where it may.

    ``..`` may stand only at the beginning of the target, where it is counted from a real folder. So no set of accepted
    links, from one track or from several merged ones, leads out of the tree.
    """
    if path.rpartition("/")[2].lower() == ".gitmodules":
        return "git refuses a .gitmodules that is a symbolic link"
    if target.startswith("/"):
        return "it is a symbolic link to an absolute path"
    if any(ord(character) < 0x20 for character in target):
        return "it is a symbolic link whose target holds control characters"
    parts = [part for part in target.split("/") if part not in {"", "."}]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    if climbs > path.count("/"):
        return "it is a symbolic link that leads out of the tree"
    if ".." in parts[climbs:]:
        return "it is a symbolic link with '..' inside its target"
    if any(_DOT_GIT.match(part) for part in parts):
        return "it is a symbolic link into .git"
    return None


def matches_any(path: str, globs: tuple[str, ...]) -> bool:
    """Say whether a relative path matches one of the globs.

    ``*`` and ``?`` stay within a folder, ``**`` crosses folders, ``[a-z]`` is a set. A glob that names a folder owns
    all below it.
    """
    return any(_compiled(glob).match(path) for glob in globs)


def _compiled(glob: str) -> re.Pattern[str]:
    glob = glob.removeprefix("./").rstrip("/")
    out, at = "", 0
    while at < len(glob):
        if glob.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif glob.startswith("**", at):
            out, at = out + ".*", at + 2
        elif glob[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif glob[at] == "?":
            out, at = out + "[^/]", at + 1
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            inner = glob[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out, at = out + "[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]", end + 1
        else:
            out, at = out + re.escape(glob[at]), at + 1
    return re.compile(out + r"(?:/.*)?\Z", re.DOTALL)
