"""Create the first tables: settings, turns, inbox, facts."""

import sqlalchemy as sa
from alembic import op

revision = "first"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table("facts", sa.Column("name", sa.String, primary_key=True), sa.Column("said", sa.String, nullable=False))
    op.create_table("settings", sa.Column("place", _BIG, primary_key=True), sa.Column("said", sa.JSON, nullable=False))
    op.create_table(
        "turns",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("channel", _BIG, nullable=False, index=True),
        sa.Column("author", _BIG, nullable=False, index=True),
        sa.Column("speaker", sa.String),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("message", _BIG, primary_key=True),
        sa.Column("guild", _BIG),
        sa.Column("channel", _BIG, nullable=False),
        sa.Column("author", _BIG, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("reply", sa.String),
        sa.Column("at", sa.Float, nullable=False),
    )
