"""What travels over the wire about a profile."""

import uuid
from datetime import datetime
from typing import Annotated

from members.schemas import EmailStr, Name
from pydantic import BaseModel, ConfigDict, StringConstraints

Bio = Annotated[str, StringConstraints(max_length=500)]


class ProfileResponse(BaseModel):
    """A profile, as its owner sees it, or anybody if it is public."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    email: EmailStr
    bio: str | None
    avatar_url: str | None
    created_at: datetime
    updated_at: datetime


class ProfileUpdateRequest(BaseModel):
    """The whole editable profile; a bio that is left out is emptied."""

    name: Name
    email: EmailStr
    bio: Bio | None = None


class AvatarUploadResponse(BaseModel):
    """Where the new picture is."""

    avatar_url: str
