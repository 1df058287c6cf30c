"""The one door to Prefect's artifacts: what goes through it is text, whatever an agent wrote.

Nothing else in plait makes or changes an artifact, which a test holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from prefect import artifacts

from tasks.prefect_ui.markdown import cell, row


def publish_markdown(key: str, markdown: str, description: str) -> None:
    """Publish a page; its maker puts only cells (`tasks.prefect_ui.markdown.cell`) between words of plait's own."""
    artifacts.create_markdown_artifact(markdown=markdown, key=key, description=cell(description))  # pyright: ignore[reportUnusedCoroutine] called synchronously, Prefect's dispatcher decides


def publish_table(key: str, rows: Iterable[Mapping[str, object]], description: str) -> None:
    """Publish a table; every text of it becomes a cell here that is none yet."""
    made: Any = [row(each) for each in rows]
    artifacts.create_table_artifact(table=made, key=key, description=cell(description))  # pyright: ignore[reportUnusedCoroutine] same


def publish_link(key: str, link: str, text: str, description: str) -> None:
    """Publish a link to one of plait's own documents, whose address is written so that it ends where it should."""
    address = quote(link, safe="/:?=&%#@+,;~$'")
    artifacts.create_link_artifact(link=address, link_text=cell(text), key=key, description=cell(description))  # pyright: ignore[reportUnusedCoroutine] same


def publish_image(key: str, image_url: str, description: str) -> None:
    """Publish a picture, given as a data URI."""
    artifacts.create_image_artifact(image_url=image_url, key=key, description=cell(description))  # pyright: ignore[reportUnusedCoroutine] same


def publish_progress(key: str, percent: float, description: str) -> UUID:
    """Publish a bar of progress, and return what `update_progress` changes."""
    made: Any = artifacts.create_progress_artifact(percent, key=key, description=cell(description))
    return made


def update_progress(artifact: UUID, percent: float) -> None:
    """Move a bar of progress."""
    artifacts.update_progress_artifact(artifact, percent)  # pyright: ignore[reportUnusedCoroutine] same
