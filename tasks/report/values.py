"""What the parts of a report are made of: a status and its tone, a list that may be cut, a log, a person's ruling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Tone = Literal["good", "bad", "warn", "quiet"]
"""How a status is coloured; the words always stand beside it."""

_WORDS: dict[Tone, str] = {
    "good": "verified completed complete passed met aligned resolved reused ready deployed approved chosen settled",
    "bad": "verification-failed failed unmet blocking mismatch conflicting rejected staging-failed deployment-failed "
    "deployment-blocked",
    "warn": "partial verification-incomplete unverified warning blocked cancelled out-of-budget waived open missing "
    "left-out unknown waiting waiting-for-approval deploying deployment-unknown pending",
}
TONES: dict[str, Tone] = {word: tone for tone, words in _WORDS.items() for word in words.split()}

MEANINGS = {
    "verified": "Every required track, check and criterion is done and good.",
    "verification-failed": "The work is merged, but something that was checked is wrong.",
    "verification-incomplete": "Nothing that was checked is wrong, but something required could not be checked.",
    "partial": "Something required is missing from the result.",
    "running": "The run has not ended.",
    "waiting-for-approval": "Everything required is verified; the gate before production waits for a person.",
    "approved": "Everything required is verified and a person approved it; no command of the spec deploys it.",
    "deployed": "Everything required is verified, and it is in production.",
    "rejected": "Everything required is verified, but a person refused production.",
    "staging-failed": "Everything required is verified, but staging did not go well.",
    "deployment-blocked": "Everything required is verified, but a prerequisite of production is unmet.",
    "deployment-failed": "Everything required is verified, but the command for production failed.",
    "deployment-unknown": "Everything required is verified; how the deployment to production ended is not known.",
}
"""What a verdict means, in one sentence."""

QUESTIONS = {
    "completed": "Why it is not called verified",
    **dict.fromkeys(
        ("waiting-for-approval", "rejected", "staging-failed", "deployment-blocked", "deployment-failed"),
        "Why it is not in production",
    ),
    "deployment-unknown": "Why it is not known to be in production",
}
"""What the reasons of a verdict answer, where that is not why the work is not verified."""


@dataclass(frozen=True, slots=True)
class Status:
    """A status in words, with the tone it is shown in."""

    word: str
    tone: Tone = "quiet"


def status(word: str) -> Status:
    """Return the status of a word plait writes; any other word is shown without a tone."""
    return Status(word.replace("-", " ") if word in TONES else word, TONES.get(word, "quiet"))


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """A list that may have been cut: what is shown, and how many there are."""

    shown: tuple[Item, ...] = ()
    total: int = 0

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return self.total - len(self.shown)


@dataclass(frozen=True, slots=True)
class Log:
    """A log: its beginning and its end, and the name of the whole of it.

    Attributes:
        head: The first characters, or all of them.
        tail: The last characters where something was left out between, else empty.
        missing: Why it could not be read, empty if it could.
    """

    sha256: str
    size: int
    head: str = ""
    tail: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided, each part as a text.

    Attributes:
        choice: What shall hold, empty where the decision is to accept.
        at: When, in words.
    """

    by: str
    why: str
    at: str
    choice: str = ""
