"""Add the message that each turn belongs to; it is NULL in existing rows and for commands."""

import sqlalchemy as sa
from alembic import op

revision = "messages"
down_revision = "applications"


def upgrade() -> None:
    op.add_column("turns", sa.Column("message", sa.BigInteger))
    op.create_index("ix_turns_message", "turns", ["message"])
