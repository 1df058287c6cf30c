"""Migrate a database in a folder and serve the application on loopback.

python tools/serve.py --port 8000 --data data
"""

import argparse
import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

import uvicorn  # noqa: E402 - the package's folder must be known first
from alembic import command  # noqa: E402
from alembic.config import Config  # noqa: E402


def migrate(data: Path) -> None:
    """Bring the folder's database to the newest migration, and point the service at it."""
    data.mkdir(parents=True, exist_ok=True)
    os.environ["MEMBERS_DATABASE_URL"] = f"sqlite:///{data.resolve() / 'members.db'}"
    os.environ.setdefault("MEMBERS_UPLOAD_FOLDER", str(data.resolve() / "uploads"))
    command.upgrade(Config(PROJECT / "alembic.ini"), "head")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Migrate and serve the application on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the database and of uploads")
    options = parser.parse_args()
    migrate(options.data)
    uvicorn.run("members.main:create_app", factory=True, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
