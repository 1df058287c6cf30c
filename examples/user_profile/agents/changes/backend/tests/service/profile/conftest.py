"""Profiles write uploads: keep them in the test's own folder."""

from dataclasses import replace
from pathlib import Path

import pytest
from members.settings import Settings


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """The service's settings, with an upload folder that is new."""
    return replace(settings, upload_folder=tmp_path / "uploads")
