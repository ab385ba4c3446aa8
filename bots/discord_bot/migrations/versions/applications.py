"""Add the application that each row belongs to, and the servers that it has left.

Existing rows go to the application that registered its commands last, else to none (0), for the next to claim.
"""

import sqlalchemy as sa
from alembic import op

revision = "applications"
down_revision = "servers"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    commands = op.get_bind().execute(sa.text("SELECT said FROM facts WHERE name = 'commands'")).scalar() or ""
    owner = int(first) if (first := commands.partition(" ")[0]).isdigit() else 0
    _rebuild(
        "settings", owner, sa.Column("place", _BIG, primary_key=True), sa.Column("said", sa.JSON, nullable=False),
        sa.Column("guild", _BIG),
    )  # fmt: skip
    _rebuild("facts", owner, sa.Column("name", sa.String, primary_key=True), sa.Column("said", sa.String, nullable=False))
    _rebuild(
        "inbox", owner,
        sa.Column("message", _BIG, primary_key=True),
        sa.Column("guild", _BIG),
        sa.Column("channel", _BIG, nullable=False),
        sa.Column("author", _BIG, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("reply", sa.String),
        sa.Column("at", sa.Float, nullable=False),
    )  # fmt: skip
    op.add_column("turns", sa.Column("application", _BIG, nullable=False, server_default=str(owner)))
    op.create_table(
        "departures",
        sa.Column("application", _BIG, primary_key=True, autoincrement=False),
        sa.Column("guild", _BIG, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
    )


def _rebuild(table: str, owner: int, *columns: sa.Column[object]) -> None:
    """Copy a table into one whose primary key begins with the application: SQLite cannot change the key of a table."""
    names = ", ".join(column.name for column in columns)
    op.create_table(f"new_{table}", sa.Column("application", _BIG, primary_key=True, autoincrement=False), *columns)
    op.execute(f"INSERT INTO new_{table} (application, {names}) SELECT {owner}, {names} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"new_{table}", table)
