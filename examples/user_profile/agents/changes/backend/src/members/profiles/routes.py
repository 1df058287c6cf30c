"""Viewing and editing profiles, and their pictures."""

import uuid
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, UploadFile, status
from fastapi.responses import FileResponse
from members.database import DatabaseSession
from members.models import User, now
from members.profiles import avatars
from members.profiles.schemas import AvatarUploadResponse, ProfileResponse, ProfileUpdateRequest
from members.schemas import ErrorResponse
from members.security import CurrentUser
from sqlalchemy.exc import IntegrityError


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Declare error codes in the OpenAPI document."""
    return {code: {"model": ErrorResponse} for code in codes}


router = APIRouter(prefix="/api/profile", tags=["profile"], responses=refusals(401, 403, 404))
media = APIRouter(tags=["media"])


def visible_profile(user_id: uuid.UUID, caller: CurrentUser, session: DatabaseSession) -> User:
    """Find a profile the caller may see: the own one, or a public one."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such member.")
    if user.id != caller.id and not user.is_public:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "This profile is not public.")
    return user


def own_profile(user: Annotated[User, Depends(visible_profile)], caller: CurrentUser) -> User:
    """Find a profile the caller may change: the own one."""
    if user.id != caller.id:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Only its owner can change a profile.")
    return user


VisibleProfile = Annotated[User, Depends(visible_profile)]
OwnProfile = Annotated[User, Depends(own_profile)]


# The dependencies take user_id from the path; so the endpoints do not name it.
@router.get("/{user_id}")  # noqa: FAST003
def read_profile(user: VisibleProfile) -> ProfileResponse:
    """Show a profile."""
    return ProfileResponse.model_validate(user)


@router.put("/{user_id}", responses=refusals(409, 429))  # noqa: FAST003
def update_profile(
    user: OwnProfile, new: ProfileUpdateRequest, request: Request, session: DatabaseSession
) -> ProfileResponse:
    """Replace name, address and bio."""
    wait = request.app.state.profile_updates.seconds_to_wait(user.id)
    if wait:
        raise HTTPException(
            status.HTTP_429_TOO_MANY_REQUESTS,
            f"Too many changes; try again in {wait} seconds.",
            {"Retry-After": str(wait)},
        )
    user.name, user.email, user.bio = new.name, new.email, new.bio
    user.updated_at = now()
    try:
        session.commit()
    except IntegrityError as error:
        raise HTTPException(status.HTTP_409_CONFLICT, "This address is taken.") from error
    return ProfileResponse.model_validate(user)


@router.post("/{user_id}/avatar", responses=refusals(413, 415))  # noqa: FAST003
def upload_avatar(
    user: OwnProfile, avatar: UploadFile, request: Request, session: DatabaseSession
) -> AvatarUploadResponse:
    """Replace the picture; the former one is deleted."""
    settings = request.app.state.settings
    content = avatar.file.read(settings.avatar_max_bytes + 1)
    if len(content) > settings.avatar_max_bytes:
        raise HTTPException(
            status.HTTP_413_CONTENT_TOO_LARGE,
            f"A picture may have at most {settings.avatar_max_bytes // 1024} KB.",
        )
    kind = avatars.picture_type(content)
    if kind is None:
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "A picture must be a jpg, png or gif.")
    former, user.avatar_url = user.avatar_url, avatars.store(content, kind, user.id, settings.upload_folder)
    user.updated_at = now()
    session.commit()
    avatars.remove(former, settings.upload_folder)
    return AvatarUploadResponse(avatar_url=user.avatar_url)


@media.get(
    avatars.URL_PREFIX + "{name}",
    response_class=FileResponse,
    responses={200: {"content": {"image/*": {}}}, **refusals(404)},
)
def read_avatar(name: Annotated[str, Path(pattern=avatars.FILE_NAME)], request: Request) -> FileResponse:
    """Serve a picture; its name cannot be guessed, so it needs no token."""
    path: FilePath = request.app.state.settings.upload_folder / name
    if not path.is_file():
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such picture.")
    return FileResponse(path, headers={"X-Content-Type-Options": "nosniff"})
