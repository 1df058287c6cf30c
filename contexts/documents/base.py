"""Types every model shares: open documents, closed specs, identifiers, paths, instants and numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contexts.errors import BadIdentifier
from contexts.identifiers import check_id, check_relative_path

JsonObject = dict[str, Any]


def _id(value: str) -> str:
    try:
        return check_id(value)
    except BadIdentifier as error:
        raise ValueError(error.message) from error


def _path(value: str) -> str:
    try:
        return check_relative_path(value)
    except BadIdentifier as error:
        raise ValueError(error.message) from error


@lru_cache(maxsize=1024)  # documents of one run say the same few instants again and again
def parse_instant(value: str) -> datetime:
    """Return an ISO 8601 instant as an aware datetime.

    Raises:
        ValueError: Not ISO 8601, or without a time zone.
    """
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; write it with Z or an offset")
    return instant


def format_instant(moment: datetime, timespec: Literal["auto", "seconds", "milliseconds"] = "auto") -> str:
    """Return an aware datetime as documents write it: ISO 8601, with ``Z`` for UTC."""
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def now(timespec: Literal["seconds", "milliseconds"] = "milliseconds") -> str:
    """Return the present instant as documents write it."""
    return format_instant(datetime.now(UTC), timespec)


def _instant(value: str) -> str:
    parse_instant(value)
    return value


Identifier = Annotated[str, AfterValidator(_id)]
"""``[a-z0-9]+([._-][a-z0-9]+)*``, at most 64 characters, not ending in ``.lock``."""

RelativePath = Annotated[str, AfterValidator(_path)]
"""A path below some root: never absolute, no ``..``, no control characters."""

Instant = Annotated[str, AfterValidator(_instant)]
"""ISO 8601 with a time zone, kept as the text it was written in, so that a round trip changes nothing."""

Number = int | float
"""A JSON number, kept as the kind it was written in."""


_Item = TypeVar("_Item")

Items = Annotated[tuple[_Item, ...], Field(strict=False)]
"""A JSON list that is not changed; given as a list or a tuple."""


class Open(BaseModel):
    """Base of everything documents hold: typed where known, unknown fields kept value for value."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, defer_build=True)

    def to_json(self) -> JsonObject:
        """Return the plain value as it was given: nothing added, nothing left out."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)

    def compact(self) -> Self:
        """Return the same with nothing said of the fields that hold nothing, which JSON would show as null."""
        said = {name for name in self.model_fields_set if getattr(self, name) is not None}
        return self if said == self.model_fields_set else self.model_construct(said, **self._values(said))

    def _values(self, names: set[str]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}

    def without(self, *names: str) -> Self:
        """Return a copy in which nothing is said of some fields that need not be there."""
        said = self.model_fields_set.difference(names)
        return self.model_construct(said, **self._values(said))

    def changed(self, **changes: Any) -> Self:
        """Return a copy with other values for some fields; the caller answers for their types."""
        return self.model_copy(update=changes)


class Closed(BaseModel):
    """Base of everything a user writes as a spec: an unknown field is an error unless it begins with ``x-``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True, defer_build=True)
