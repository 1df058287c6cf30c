"""Passwords, tokens, and the member behind a request."""

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta
from typing import Annotated

import jwt
from fastapi import Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from members.database import DatabaseSession
from members.models import User, now
from members.settings import Settings

ALGORITHM = "HS256"
bearer = HTTPBearer(auto_error=False, bearerFormat="JWT")


def hash_password(password: str, rounds: int) -> str:
    """Derive a hash with a fresh salt: ``rounds$salt$hash``, the last two in hex."""
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    return f"{rounds}${salt.hex()}${digest.hex()}"


def is_password(password: str, stored: str) -> bool:
    """Compare in constant time."""
    rounds, salt, digest = stored.split("$")
    given = hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), int(rounds))
    return hmac.compare_digest(given.hex(), digest)


def issue_token(user_id: uuid.UUID, settings: Settings) -> str:
    """Sign a token that names the member and ends by itself."""
    claims = {"sub": str(user_id), "exp": now() + timedelta(minutes=settings.token_minutes)}
    return jwt.encode(claims, settings.signing_key, algorithm=ALGORITHM)


def authenticate(
    request: Request,
    session: DatabaseSession,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> User:
    """Find the member whose valid token came with the request, or answer 401."""
    refusal = HTTPException(
        status.HTTP_401_UNAUTHORIZED, "Sign in first: a valid token is needed.", {"WWW-Authenticate": "Bearer"}
    )
    if credentials is None:
        raise refusal
    try:
        claims = jwt.decode(
            credentials.credentials,
            request.app.state.settings.signing_key,
            algorithms=[ALGORITHM],
            options={"require": ["sub", "exp"]},
        )
        user = session.get(User, uuid.UUID(claims["sub"]))
    except (jwt.PyJWTError, ValueError) as error:
        raise refusal from error
    if user is None:
        raise refusal
    return user


CurrentUser = Annotated[User, Depends(authenticate)]
