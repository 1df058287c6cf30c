"""What the service can be told from outside."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """Settings of one running service.

    A signing key that nobody set is made up at start: tokens then end with the process, and no key is ever in the code.
    """

    database_url: str = "sqlite:///members.db"
    signing_key: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    token_minutes: int = 60
    password_rounds: int = 600_000
    static_folder: Path = PROJECT / "static"
    upload_folder: Path = PROJECT / "data" / "uploads"
    avatar_max_bytes: int = 5 * 1024 * 1024
    profile_updates_per_hour: int = 10

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read ``MEMBERS_*`` variables; what is not set keeps its default."""
        given = {
            name.removeprefix("MEMBERS_").lower(): value
            for name, value in os.environ.items()
            if name.startswith("MEMBERS_")
        }
        readers = {
            "database_url": str,
            "signing_key": str,
            "token_minutes": int,
            "password_rounds": int,
            "static_folder": Path,
            "upload_folder": Path,
            "avatar_max_bytes": int,
            "profile_updates_per_hour": int,
        }
        return cls(**{name: read(given[name]) for name, read in readers.items() if name in given})
