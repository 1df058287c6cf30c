import os
import pathlib
import sys

from alembic import context
from sqlalchemy import create_engine

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from inventory.models import Base  # noqa: E402

url = os.environ.get("INVENTORY_DB") or context.config.get_main_option("sqlalchemy.url")

if context.is_offline_mode():
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
