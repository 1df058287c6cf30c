"""Whether the service is up and reaches its database."""

from fastapi import APIRouter
from sqlalchemy import text

from members.database import DatabaseSession

router = APIRouter(tags=["health"])


@router.get("/health")
def read_health(session: DatabaseSession) -> dict[str, str]:
    """Ask the database for one row."""
    session.execute(text("SELECT 1"))
    return {"status": "ok"}
