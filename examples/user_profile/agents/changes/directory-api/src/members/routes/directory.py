"""The directory: what members see of each other, and under which name."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, status
from members.database import DatabaseSession
from members.models import User, now
from members.schemas import ErrorResponse
from members.security import CurrentUser
from pydantic import BaseModel, StringConstraints
from sqlalchemy import select

DirectoryName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class DirectoryEntry(BaseModel):
    """A member in the directory; ``last_change`` is null until the name is changed."""

    id: uuid.UUID
    name: str
    member_since: int
    last_change: datetime | None


class RenameRequest(BaseModel):
    """A new name for the directory."""

    name: DirectoryName


class RenameResponse(BaseModel):
    """The name as it is now."""

    name: str


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Declare error codes in the OpenAPI document."""
    return {code: {"model": ErrorResponse} for code in codes}


router = APIRouter(prefix="/api/directory", tags=["directory"], responses=refusals(401, 404))


def find(user_id: uuid.UUID, session: DatabaseSession) -> User:
    """Find a member or answer 404."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such member.")
    return user


@router.get("/{user_id}")
def read_entry(user_id: uuid.UUID, _: CurrentUser, session: DatabaseSession) -> DirectoryEntry:
    """Show a member."""
    user = find(user_id, session)
    changed = user.updated_at if user.updated_at > user.created_at else None
    return DirectoryEntry(id=user.id, name=user.name, member_since=user.created_at.year, last_change=changed)


@router.put("/{user_id}/name", responses=refusals(400, 403))
def rename(user_id: uuid.UUID, new: RenameRequest, caller: CurrentUser, session: DatabaseSession) -> RenameResponse:
    """Change the own name to one that nobody else has."""
    user = find(user_id, session)
    if user.id != caller.id:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Only the own name can be changed.")
    if session.scalar(select(User.id).where(User.name == new.name, User.id != user.id).limit(1)):
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "Somebody else has this name.")
    user.name, user.updated_at = new.name, now()
    session.commit()
    return RenameResponse(name=user.name)
