"""Add the bot's own messages that quote somebody."""

import sqlalchemy as sa
from alembic import op

revision = "quotes"
down_revision = "messages"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "quotes",
        sa.Column("application", _BIG, primary_key=True, autoincrement=False),
        sa.Column("message", _BIG, primary_key=True, autoincrement=False),
        sa.Column("guild", _BIG),
        sa.Column("channel", _BIG, nullable=False),
        sa.Column("author", _BIG, nullable=False, index=True),
        sa.Column("at", sa.Float, nullable=False),
    )
