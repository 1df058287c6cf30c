"""Let members choose whether others may see them."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"


def upgrade() -> None:
    """Nobody is public until they say so."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget who was public."""
    with op.batch_alter_table("users") as users:
        users.drop_column("is_public")
