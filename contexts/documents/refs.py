"""References to what a store holds: the only things that travel between tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

BlobKind = Literal["content", "evidence", "report"]
"""What a blob is kept for. ``content``: documents refer to it. No document refers to the others: ``evidence`` is the
record that a check's task hands on, which the context then holds itself; ``report`` the page of one run."""


def _is_content(kind: BlobKind) -> bool:
    return kind == "content"


class ContextRef(BaseModel):
    """One revision of one document.

    Attributes:
        workflow_id: The workflow the document belongs to.
        document: ``context``, ``tracks/{task_id}`` or ``groups/{group_id}``.
        revision: Number of the save, from 1.
        sha256: Checksum over the document's canonical JSON, in hexadecimal.
        size: Length of the stored JSON in bytes, before any compression.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow_id: str
    document: str
    revision: int
    sha256: str
    size: int

    def __str__(self) -> str:
        return f"{self.workflow_id}/{self.document}@{self.revision}"


class BlobRef(BaseModel):
    """Bytes stored under their own sha256: a log, a report, a git bundle, a long list.

    Attributes:
        sha256: Digest of the bytes, which is also the name.
        size: Length in bytes.
        media_type: What the bytes are.
        kind: What they are kept for, as whoever puts them says; part of the key they lie under. References that
            documents hold are without it, which means ``content``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size: int
    media_type: str = "application/octet-stream"
    kind: BlobKind = Field(default="content", exclude_if=_is_content)
