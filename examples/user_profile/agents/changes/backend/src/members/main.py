"""The application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from members.profiles import routes as profiles
from members.profiles.rate_limit import RateLimit
from members.routes import auth, health
from members.settings import Settings
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service on a database that is already migrated."""
    settings = settings or Settings.from_environment()
    engine = create_engine(settings.database_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(title="Members", version="1.0.0", lifespan=lifespan)
    app.state.settings = settings
    app.state.sessions = sessionmaker(engine)
    app.state.profile_updates = RateLimit(settings.profile_updates_per_hour, seconds=3600)
    app.include_router(health.router)
    app.include_router(auth.router)
    app.include_router(profiles.router)
    app.include_router(profiles.media)
    app.mount("/app", StaticFiles(directory=settings.static_folder, html=True), name="app")
    return app
