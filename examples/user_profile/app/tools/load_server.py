"""Serve the application for a load test, on a temporary database with one member who is always signed in.

    python tools/load_server.py --port 8000

A load generator with fixed requests cannot sign in. So a request without an Authorization header gets the member's
real token here, and goes through the whole of authentication like any other. The member's id is MEMBER_ID.
"""

import argparse
import secrets
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import uvicorn
from members.main import create_app
from members.models import User
from members.security import hash_password, issue_token
from serve import migrate

MEMBER_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")


def signed_in(app: Any, token: str) -> Any:
    """Wrap an ASGI application: who sends no token is the member."""

    async def wrapped(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {token}".encode())]}
        await app(scope, receive, send)

    return wrapped


def main() -> None:
    """Serve until interrupted; the database goes with the process."""
    parser = argparse.ArgumentParser(description="Serve the application for a load test on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    with tempfile.TemporaryDirectory() as folder:
        migrate(Path(folder))
        app = create_app()
        with app.state.sessions() as session:
            no_password = hash_password(secrets.token_hex(), rounds=1)
            session.add(User(id=MEMBER_ID, name="Load Test", email="load@example.org", password_hash=no_password))
            session.commit()
        token = issue_token(MEMBER_ID, app.state.settings)
        uvicorn.run(signed_in(app, token), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
