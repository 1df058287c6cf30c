"""Sessions on the database, one for each request."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session


def open_session(request: Request) -> Iterator[Session]:
    """Give the request a session; what it did not commit is rolled back."""
    with request.app.state.sessions() as session:
        yield session


DatabaseSession = Annotated[Session, Depends(open_session)]
