"""Run the migrations, on a given connection or on the database that is configured.

The database is, in this order: ``-x database=URL``, ``MEMBERS_DATABASE_URL``, ``sqlalchemy.url`` of the configuration.
"""

import os

from alembic import context
from members.models import Base
from sqlalchemy import create_engine


def database_url() -> str:
    """Choose the database."""
    configured = context.config.get_main_option("sqlalchemy.url", "sqlite:///members.db")
    return context.get_x_argument(as_dictionary=True).get(
        "database", os.environ.get("MEMBERS_DATABASE_URL", configured)
    )


def run() -> None:
    """Migrate in one transaction; batch mode, because SQLite alters tables by copying them."""
    engine = create_engine(database_url())
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def write_sql() -> None:
    """Print the SQL instead of running it (``alembic upgrade --sql``)."""
    context.configure(url=database_url(), target_metadata=Base.metadata, literal_binds=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    write_sql()
else:
    run()
