"""Evaluate the IAM policies of the documentation as S3 does: denied by a Deny, else allowed by an Allow, else denied.

Only what those policies use is known; anything else in one is an error here, so that no statement counts unread.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from tests.contexts.stores.faults import Asked, Refusal

ACTIONS = {
    "PutObject": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
}


def gate(*policies: dict[str, Any]) -> Callable[[Asked], Refusal | None]:
    """Return a gate for a proxy that lets through only what the policies permit together."""
    statements = [statement for policy in policies for statement in policy["Statement"]]

    def refuse(asked: Asked) -> Refusal | None:
        return None if permits(statements, asked) else Refusal(403, "AccessDenied")

    return refuse


def permits(statements: list[dict[str, Any]], asked: Asked) -> bool:
    """Say whether a request is permitted."""
    effects = {statement["Effect"] for statement in statements if _concerns(statement, asked)}
    assert effects <= {"Allow", "Deny"}
    return effects == {"Allow"}


def _concerns(statement: dict[str, Any], asked: Asked) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    assert not unknown, f"{unknown} of a statement are not evaluated"
    action = ACTIONS[asked.operation]
    bucket = f"arn:aws:s3:::{asked.bucket}"
    resource = bucket if action == "s3:ListBucket" else f"{bucket}/{asked.key}"
    return (
        action in _many(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in _many(statement["Resource"]))
        and all(_holds(kind, each, asked) for kind, each in statement.get("Condition", {}).items())
    )


def _holds(kind: str, wanted: dict[str, Any], asked: Asked) -> bool:
    known = {
        "s3:prefix": asked.key if asked.operation == "ListObjectsV2" else None,
        "s3:if-none-match": "*" if asked.only_new else None,
        "s3:ObjectCreationOperation": "true" if asked.operation == "PutObject" else None,
    }
    for name, values in wanted.items():
        value = known[name]
        if kind == "Null":
            met = (value is None) == (values == "true")
        elif kind == "StringLike":
            met = value is not None and any(fnmatchcase(value, pattern) for pattern in _many(values))
        elif kind == "Bool":
            met = value == values
        else:
            raise AssertionError(f"a condition {kind} is not evaluated")
        if not met:
            return False
    return True


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
