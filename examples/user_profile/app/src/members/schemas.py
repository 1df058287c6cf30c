"""What travels over the wire."""

import uuid
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
EmailStr = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"),
    Field(json_schema_extra={"format": "email"}),
    AfterValidator(str.lower),
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]


class ErrorResponse(BaseModel):
    """Why a request was refused."""

    detail: str


class RegisterRequest(BaseModel):
    """A new member."""

    name: Name
    email: EmailStr
    password: Password
    is_public: bool = False


class AccountResponse(BaseModel):
    """A member's own account."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    email: EmailStr
    is_public: bool


class TokenRequest(BaseModel):
    """Who wants to sign in."""

    email: EmailStr
    password: Password


class TokenResponse(BaseModel):
    """A token to send as ``Authorization: Bearer``, and whose it is."""

    access_token: str
    user_id: uuid.UUID
    expires_in_seconds: int
