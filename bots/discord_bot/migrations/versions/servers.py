"""Add the server to settings and turns; it is NULL in existing rows."""

import sqlalchemy as sa
from alembic import op

revision = "servers"
down_revision = "first"


def upgrade() -> None:
    for table in ("settings", "turns"):
        op.add_column(table, sa.Column("guild", sa.BigInteger))
