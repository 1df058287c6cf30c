import os

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import StaticPool

from .models import Base


def database_url() -> str:
    return os.environ.get("INVENTORY_DB", "sqlite://")


def make_sessions(url: str | None = None) -> sessionmaker:
    url = url or database_url()
    if url == "sqlite://":
        engine = create_engine(url, connect_args={"check_same_thread": False}, poolclass=StaticPool)
        Base.metadata.create_all(engine)
    else:
        engine = create_engine(url)
    return sessionmaker(engine, expire_on_commit=False)
