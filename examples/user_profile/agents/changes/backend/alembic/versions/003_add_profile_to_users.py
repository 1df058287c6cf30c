"""Give members a text about themselves and a picture."""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"


def upgrade() -> None:
    """Both are empty until a member fills them."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("bio", sa.Text(), nullable=True))
        users.add_column(sa.Column("avatar_url", sa.String(500), nullable=True))


def downgrade() -> None:
    """Drop both; uploaded files stay in their folder."""
    with op.batch_alter_table("users") as users:
        users.drop_column("avatar_url")
        users.drop_column("bio")
