"""The tables of the bot's database, as the last migration leaves them. Each row belongs to an application of Discord."""

from sqlalchemy import JSON, BigInteger, Column, Float, Integer, MetaData, String, Table, cast

METADATA = MetaData()
_BIG = BigInteger().with_variant(Integer(), "sqlite")
SETTINGS = Table(
    "settings", METADATA,
    Column("application", _BIG, primary_key=True),
    Column("place", _BIG, primary_key=True),
    Column("said", JSON, key="value", nullable=False),
    Column("guild", _BIG, nullable=True),  # the server that the place is, or is in; NULL for direct messages
)  # fmt: skip
SETTINGS_TEXT = cast(SETTINGS.c.value, String)
"""The settings as text, not parsed by SQLAlchemy, so that the error for invalid JSON can name the place."""
TURNS = Table(
    "turns", METADATA,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("application", _BIG, nullable=False),
    Column("channel", _BIG, nullable=False, index=True),
    Column("author", _BIG, nullable=False, index=True),  # the user who spoke, or who was answered
    Column("speaker", String, nullable=True),
    Column("text", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("guild", _BIG, nullable=True),
    Column("message", _BIG, nullable=True, index=True),  # what it says, or is the answer to; NULL for commands
)  # fmt: skip
INBOX = Table(
    "inbox", METADATA,
    Column("application", _BIG, primary_key=True),
    Column("message", _BIG, primary_key=True),
    Column("guild", _BIG, nullable=True),
    Column("channel", _BIG, nullable=False),
    Column("author", _BIG, nullable=False),
    Column("text", String, nullable=False),
    Column("reply", String, nullable=True),
    Column("at", Float, nullable=False),
)  # fmt: skip
FACTS = Table(
    "facts", METADATA,
    Column("application", _BIG, primary_key=True),
    Column("name", String, primary_key=True),
    Column("said", String, key="value", nullable=False),
)  # fmt: skip
QUOTES = Table(
    "quotes", METADATA,
    Column("application", _BIG, primary_key=True),
    Column("message", _BIG, primary_key=True),  # a message of the bot's that quotes the author
    Column("guild", _BIG, nullable=True),
    Column("channel", _BIG, nullable=False),
    Column("author", _BIG, nullable=False, index=True),
    Column("at", Float, nullable=False),
)  # fmt: skip
DEPARTURES = Table(
    "departures", METADATA,
    Column("application", _BIG, primary_key=True),
    Column("guild", _BIG, primary_key=True),  # a server that the application has left
    Column("at", Float, nullable=False),
)  # fmt: skip
