"""Types every model shares: open documents, closed specs, identifiers, paths, instants and numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler

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
        ValueError: Not ISO 8601, without a time zone, or before the first or after the last year in UTC.
    """
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; write it with Z or an offset")
    try:
        instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{value!r} is beyond the years that can be told") from error
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
        fields = type(self).model_fields.keys() & self.model_fields_set
        empty = [name for name in fields if vars(self)[name] is None]
        return self.without(*empty) if empty else self

    def without(self, *names: str) -> Self:
        """Return a copy in which nothing is said of some fields that need not be there."""
        copy = self.model_copy()
        for name in names:
            vars(copy)[name] = type(self).model_fields[name].get_default(call_default_factory=True)
        copy.__pydantic_fields_set__.difference_update(names)
        return copy

    def changed(self, **changes: Any) -> Self:
        """Return a copy with other values for some fields; the caller answers for their types."""
        copy = self.model_copy(update=changes)
        for name in type(self).model_fields.keys() & changes.keys():
            (copy.__pydantic_extra__ or {}).pop(name, None)  # what `Lenient` had set aside
        return copy


class Lenient(Open):
    """Base of records that documents from elsewhere, and older ones, may hold in another form.

    A member that need not be there and is not of its field's type is kept value for value, like one that no field has;
    the field is empty then. So plait decides nothing by it, and nothing of it is lost.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _set_aside(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            if not isinstance(value, dict):
                raise
            odd = {one["loc"][0] for one in error.errors(include_url=False, include_context=False) if one["loc"]}
            if not odd or any(cls.model_fields[str(name)].is_required() for name in odd):
                raise
            members: JsonObject = value  # pyright: ignore[reportUnknownVariableType] JSON
            made = handler({name: one for name, one in members.items() if name not in odd})
            if made.__pydantic_extra__ is not None:  # it is not, as these models keep what no field has
                made.__pydantic_extra__.update({str(name): members[str(name)] for name in odd})
            return made


class Closed(BaseModel):
    """Base of everything a user writes as a spec: an unknown field is an error unless it begins with ``x-``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True, defer_build=True)
