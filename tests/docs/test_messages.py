"""The messages docs/guides/troubleshooting.md quotes are those the code says."""

import ast
import re
from functools import cache

import pytest

from tests.servers import ROOT

VARIES = "\0"


@cache
def texts_of_the_code() -> tuple[str, ...]:
    """Return every string of the code, as one line, with what is filled in as NUL."""
    found: list[str] = []
    for folder in ("contexts", "tasks", "flows"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else VARIES for part in node.values]
                    found.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return tuple(text.replace("`", "") for text in found)


def quoted(page: str) -> list[str]:
    """Return the messages in the first column of the tables that are headed by one."""
    messages: list[str] = []
    column = False
    for line in (ROOT / "docs" / "guides" / page).read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            column = False
        elif re.match(r"\| (message|reason|said) \|", line):
            column = True
        elif column and not line.startswith("| ---"):
            messages += re.findall(r"`([^`]+)`", line.split(" | ")[0])
    return messages


MESSAGES = quoted("troubleshooting.md")


def is_said(message: str) -> bool:
    pieces = [piece.strip() for piece in message.split("...") if len(piece.strip()) > 1]
    pattern = ".*".join(map(re.escape, pieces))
    return any(re.search(pattern, text, re.DOTALL) for text in texts_of_the_code())


@pytest.mark.parametrize("message", MESSAGES)
def test_the_message_is_one_the_code_says(message: str) -> None:
    assert max(len(piece.strip()) for piece in message.split("...")) >= 4, f"{message} says too little"
    assert is_said(message), f"the page quotes {message!r}, which nothing says"


def test_a_message_nothing_says_is_noticed() -> None:
    assert not is_said("the moon of ... is made of cheese")
    assert len(MESSAGES) > 50
