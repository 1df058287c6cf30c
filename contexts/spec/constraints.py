"""What a spec says of decisions and of sentences: constraints by topic, and whether words are looked at at all."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from contexts.documents.base import Closed
from contexts.json.values import is_object


class Constraint(Closed):
    """What may be chosen of a topic. A decision against it is a warning.

    Give one of ``allow`` and ``forbid``. Topic and choices are compared as wholes, without case and outer space.

    Attributes:
        topic: The topic, as decisions name it.
        allow: The only choices that may be made.
        forbid: Choices that may not be made.
    """

    topic: str = Field(min_length=1)
    allow: tuple[str, ...] | None = Field(default=None, min_length=1)
    forbid: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.allow is None) == (self.forbid is None):
            raise ValueError(f"constraint on {self.topic!r} must have one of allow and forbid")
        return self

    def refuses(self, topic: str, choice: str) -> bool:
        """Tell whether a choice of a topic is against it."""
        if _same(topic) != _same(self.topic):
            return False
        if self.allow is not None:
            return _same(choice) not in {_same(one) for one in self.allow}
        return _same(choice) in {_same(one) for one in self.forbid or ()}


def _same(text: str) -> str:
    return text.strip().casefold()


class Audit(Closed):
    """What the audit of a run looks at.

    Attributes:
        prose: Whether figures and ticks in the words of agents are looked at: ``warn`` or ``off``. They never block.
    """

    prose: Literal["warn", "off"] = "warn"

    @model_validator(mode="before")
    @classmethod
    def _off_is_a_word(cls, given: object) -> object:
        """YAML 1.1 reads a bare ``off`` as false."""
        return {**given, "prose": "off"} if is_object(given) and given.get("prose") is False else given
