"""Registering, signing in, and one's own account."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, status
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from members.database import DatabaseSession
from members.models import User
from members.schemas import AccountResponse, ErrorResponse, RegisterRequest, TokenRequest, TokenResponse
from members.security import CurrentUser, hash_password, is_password, issue_token

router = APIRouter(prefix="/api/auth", tags=["auth"])
UNAUTHORIZED: dict[int | str, dict[str, Any]] = {401: {"model": ErrorResponse}}


@router.post("/register", status_code=status.HTTP_201_CREATED, responses={409: {"model": ErrorResponse}})
def register(new: RegisterRequest, request: Request, session: DatabaseSession) -> AccountResponse:
    """Create an account; an address belongs to one member only."""
    rounds = request.app.state.settings.password_rounds
    user = User(
        name=new.name,
        email=new.email,
        password_hash=hash_password(new.password, rounds),
        is_public=new.is_public,
    )
    session.add(user)
    try:
        session.commit()
    except IntegrityError as error:
        raise HTTPException(status.HTTP_409_CONFLICT, "This address is taken.") from error
    return AccountResponse.model_validate(user)


@router.post("/token", responses=UNAUTHORIZED)
def sign_in(given: TokenRequest, request: Request, session: DatabaseSession) -> TokenResponse:
    """Exchange address and password for a token."""
    settings = request.app.state.settings
    user = session.scalar(select(User).where(User.email == given.email))
    if user is None or not is_password(given.password, user.password_hash):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Address or password is wrong.")
    return TokenResponse(
        access_token=issue_token(user.id, settings),
        user_id=user.id,
        expires_in_seconds=settings.token_minutes * 60,
    )


@router.get("/me", responses=UNAUTHORIZED)
def read_own_account(user: CurrentUser) -> AccountResponse:
    """Show the account behind the token."""
    return AccountResponse.model_validate(user)
