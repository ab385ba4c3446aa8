"""Settings and turns know the server that they are of; what was kept before does not."""

import sqlalchemy as sa
from alembic import op

revision = "servers"
down_revision = "first"


def upgrade() -> None:
    for table in ("settings", "turns"):
        op.add_column(table, sa.Column("guild", sa.BigInteger))
