"""The bot's database: settings of places, turns of conversations, and messages not yet answered."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, union, update
from sqlalchemy.exc import SQLAlchemyError

from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.clock import SteadyClock
from bots.discord_bot.database import Database, checkpoint_after, read_transaction, transaction
from bots.discord_bot.process_lock import ProcessLock
from bots.discord_bot.tables import DEPARTURES, FACTS, INBOX, QUOTES, SETTINGS, SETTINGS_TEXT, TURNS
from charbot.errors import CharbotError

_log = logging.getLogger("charbot.discord")

FORGOTTEN = "forgotten"
"""Name of the meta value with the time when a user was last forgotten."""


@dataclass(frozen=True)
class StoredTurn:
    """A stored turn of a conversation."""

    author: int
    """Id of the user who spoke, or who was answered."""
    speaker: str | None
    """The persona that spoke; None if the user did."""
    text: str

    def to_row(self) -> dict[str, Any]:
        return {"author": self.author, "speaker": self.speaker, "text": self.text}


@dataclass(frozen=True)
class PendingMessage:
    """A stored message that is not answered yet."""

    message: int
    guild: int | None
    channel: int
    author: int
    text: str
    reply: str | None = None
    """The reply that was about to be sent, if it was generated."""

    @property
    def id(self) -> int:
        return self.message

    def to_row(self) -> dict[str, Any]:
        return {
            "message": self.message, "guild": self.guild, "channel": self.channel, "author": self.author,
            "text": self.text, "reply": self.reply,
        }  # fmt: skip


@dataclass(frozen=True)
class Quote:
    """A message of the bot's that quotes a user."""

    message: int
    guild: int | None
    channel: int
    author: int
    """Id of the user who is quoted."""

    @property
    def address(self) -> str:
        """The link that shows the message in Discord."""
        return f"https://discord.com/channels/{self.guild or '@me'}/{self.channel}/{self.message}"

    def to_row(self) -> dict[str, Any]:
        return {"message": self.message, "guild": self.guild, "channel": self.channel, "author": self.author}


class Store(Database):
    """The data of an application of Discord. Methods block: call them in a thread."""

    def __init__(self, url: str, application: int = 0, timeout: float = 5.0, clock: Callable[[], float] | None = None) -> None:
        """Open a database: see `Database`. `application` is 0 until it is known; then `claim` sets it.

        `clock` tells the seconds since 1970.
        """
        # Set first, as `Database` calls `close` if opening fails.
        self._locks: list[ProcessLock] = []
        super().__init__(url, timeout)
        self.application, self.clock = application, clock or SteadyClock()

    @transaction
    def claim(self, db: Connection, application: int) -> None:
        """Serve this application from now on; rows that belong to none, as of older versions, become its rows."""
        for table in (SETTINGS, TURNS, INBOX):
            db.execute(update(table).where(table.c.application == 0).values(application=application))
        self.application = application

    def hold(self, names: Iterable[str]) -> None:
        """Keep other processes from serving the same parts of the application, such as shards, until `close`.

        Raises CharbotError if another process serves a part.
        """
        for name in names:
            lock = self.process_lock(f"{self.application}-{name}")
            try:
                acquired = lock.acquire()
            except SQLAlchemyError as error:
                raise self._problem(error) from error
            if not acquired:
                raise CharbotError("another charbot runs with this token and database; stop it first, or give each its --shards")
            self._locks.append(lock)

    def close(self) -> None:
        while self._locks:
            self._locks.pop().release()
        super().close()

    def _ours(self, table: Table) -> ColumnElement[bool]:
        return table.c.application == self.application

    @read_transaction
    def places(self, db: Connection) -> dict[int, ChannelSettings]:
        """Return the settings of each place. Invalid ones are logged and left out."""
        rows = db.execute(select(SETTINGS.c.place, SETTINGS_TEXT).where(self._ours(SETTINGS)))
        return {place: self._read(place, text) for place, text in rows}

    def _read(self, place: int, text: str) -> ChannelSettings:
        try:
            settings, wrong = ChannelSettings.from_json(dict(json.loads(text)))
        except (TypeError, ValueError) as error:
            settings, wrong = ChannelSettings(), [str(error)]
        if wrong:
            _log.warning("%s: ignored what is set for %d: %s; /settings sets it anew", self._name, place, "; ".join(wrong))
        return settings

    @read_transaction
    def guilds_with_webhooks(self, db: Connection) -> set[int]:
        """Return the servers where personas post by webhooks, of all applications."""
        rows = db.execute(select(SETTINGS.c.place, SETTINGS_TEXT, SETTINGS.c.guild).where(SETTINGS.c.guild.is_not(None)))
        return {guild for place, text, guild in rows if self._read(place, text).webhooks}

    @transaction
    def set_place(
        self, db: Connection, place: int, changes: ChannelSettings, guild: int | None = None, inherit: str | None = None
    ) -> ChannelSettings:
        """Change a place's settings, and return all that it has then.

        `guild` is the server that the place is, or is in; `inherit` names a setting to reset to None.
        """
        row = (self._ours(SETTINGS), SETTINGS.c.place == place)
        new = {"application": self.application, "place": place, "value": {}}
        db.execute(self._insert(SETTINGS).values(new).on_conflict_do_nothing())
        text = db.execute(select(SETTINGS_TEXT).where(*row).with_for_update()).scalar_one()
        changed = changes.with_fallback(self._read(place, text))
        if inherit:
            changed = replace(changed, **{inherit: None})
        db.execute(update(SETTINGS).where(*row).values(value=changed.to_json(), guild=guild))
        return changed

    @read_transaction
    def get_meta(self, db: Connection, name: str) -> str | None:
        """Return the text stored by `set_meta` under a name, or None."""
        return db.execute(select(FACTS.c.value).where(self._ours(FACTS), FACTS.c.name == name)).scalar()

    @transaction
    def set_meta(self, db: Connection, name: str, value: str) -> None:
        self._set_meta(db, name, value)

    def _set_meta(self, db: Connection, name: str, value: str) -> None:
        row = {"application": self.application, "name": name, "value": value}
        db.execute(self._insert(FACTS).values(row).on_conflict_do_update(index_elements=["application", "name"], set_=row))

    def check_writable(self) -> None:
        """Write to the database, which may be readable though the disk is full. Raises StoreError."""
        # Committed: a write that is rolled back would never reach the disk.
        self.set_meta("checked", datetime.now(UTC).isoformat(timespec="seconds"))

    @read_transaction
    def turns(self, db: Connection, channel: int, count: int) -> list[StoredTurn]:
        """Return the last `count` turns of a channel's conversation, oldest first."""
        rows = db.execute(
            select(TURNS.c.author, TURNS.c.speaker, TURNS.c.text)
            .where(self._ours(TURNS), TURNS.c.channel == channel)
            .order_by(TURNS.c.id.desc())
            .limit(count)
        )
        return [StoredTurn(*row) for row in reversed(rows.all())]

    @read_transaction
    def last_spoken(self, db: Connection, seconds: float) -> dict[int, float]:
        """Return for each user who spoke in the last `seconds` how many seconds ago that was."""
        now, last = self.clock(), dict[int, float]()
        for table in (TURNS, INBOX):
            recent = select(table.c.author, func.max(table.c.at)).where(self._ours(table), table.c.at > now - seconds)
            for author, spoke_at in db.execute(recent.group_by(table.c.author)):
                last[author] = min(now - spoke_at, last.get(author, seconds))
        return last

    @transaction
    def receive(self, db: Connection, message: PendingMessage) -> bool:
        """Store a message that is to be answered; return False if it is stored already."""
        if db.execute(select(INBOX.c.message).where(self._ours(INBOX), INBOX.c.message == message.message)).first():
            return False
        db.execute(insert(INBOX).values(application=self.application, **message.to_row(), at=self.clock()))
        return True

    @transaction
    def edit(self, db: Connection, message: int, text: str) -> None:
        """Change the text of a stored message that is not answered yet."""
        db.execute(update(INBOX).where(self._ours(INBOX), INBOX.c.message == message).values(text=text))

    @transaction
    def sending(self, db: Connection, message: int, reply: str) -> None:
        """Store the reply to a message that is about to be sent."""
        db.execute(update(INBOX).where(self._ours(INBOX), INBOX.c.message == message).values(reply=reply))

    @transaction
    def answered(
        self,
        db: Connection,
        message: int | None,
        channel: int,
        turns: Sequence[StoredTurn],
        keep: int,
        *,
        instead: bool = False,
        guild: int | None = None,
    ) -> None:
        """Remove an answered message, if it was stored, and store its turns.

        The channel keeps its last `keep` turns. With `instead` the reply replaces the channel's last one, if that answers the
        same message. `guild` is the channel's server. Nothing is stored if `message` is not stored any more: then it
        or its author was forgotten meanwhile.
        """
        now = self.clock()
        stored = (self._ours(INBOX), INBOX.c.message == message)
        if message is not None and not db.execute(delete(INBOX).where(*stored)).rowcount:
            return
        if turns and instead:
            self._replace(db, channel, *turns)
        elif turns:
            row = {"application": self.application, "channel": channel, "at": now, "guild": guild, "message": message}
            db.execute(insert(TURNS), [{**row, **turn.to_row()} for turn in turns])
        conversation = (self._ours(TURNS), TURNS.c.channel == channel)
        kept = select(TURNS.c.id).where(*conversation).order_by(TURNS.c.id.desc()).limit(keep)
        db.execute(delete(TURNS).where(*conversation, TURNS.c.id.not_in(kept.subquery().select())))

    def _replace(self, db: Connection, channel: int, asked: StoredTurn, reply: StoredTurn) -> None:
        columns = (TURNS.c.id, TURNS.c.author, TURNS.c.text)
        conversation = select(*columns).where(self._ours(TURNS), TURNS.c.channel == channel)
        last = db.execute(conversation.order_by(TURNS.c.id.desc()).limit(2)).all()
        if [turn.author for turn in last] == [asked.author] * 2 and last[1].text == asked.text:
            db.execute(update(TURNS).where(TURNS.c.id == last[0].id).values(speaker=reply.speaker, text=reply.text))

    @transaction
    def waiting(
        self, db: Connection, seconds: float, ours: Callable[[int | None], bool] = lambda guild: True
    ) -> list[PendingMessage]:
        """Return the unanswered messages of the last `seconds`, oldest first, and delete older ones.

        Those of servers that are not `ours` are left to another process.
        """
        columns = (INBOX.c.message, INBOX.c.guild, INBOX.c.channel, INBOX.c.author, INBOX.c.text, INBOX.c.reply)
        stored = db.execute(select(*columns, INBOX.c.at).where(self._ours(INBOX)).order_by(INBOX.c.message))
        rows = [row for row in stored if ours(row.guild)]
        late = {row.message for row in rows if row.at < self.clock() - seconds}
        db.execute(delete(INBOX).where(self._ours(INBOX), INBOX.c.message.in_(late)))
        return [PendingMessage(*row[:-1]) for row in rows if row.message not in late]

    @transaction
    def add_quote(self, db: Connection, quote: Quote) -> None:
        """Store which message quotes a user."""
        db.execute(insert(QUOTES).values(application=self.application, **quote.to_row(), at=self.clock()))

    @read_transaction
    def quotes(self, db: Connection, user: int) -> list[Quote]:
        """Return the stored messages that quote a user."""
        columns = (QUOTES.c.message, QUOTES.c.guild, QUOTES.c.channel, QUOTES.c.author)
        return [Quote(*row) for row in db.execute(select(*columns).where(self._ours(QUOTES), QUOTES.c.author == user))]

    @checkpoint_after
    @transaction
    def forget_channel(self, db: Connection, channel: int) -> None:
        """Delete a channel's conversation."""
        db.execute(delete(TURNS).where(self._ours(TURNS), TURNS.c.channel == channel))

    @checkpoint_after
    @transaction
    def forget_user(self, db: Connection, user: int) -> str:
        """Delete a user's messages and the answers to them; return the new value of FORGOTTEN."""
        for table in (TURNS, INBOX, QUOTES):
            db.execute(delete(table).where(self._ours(table), table.c.author == user))
        now = f"{self.clock()}"
        self._set_meta(db, FORGOTTEN, now)
        return now

    @read_transaction
    def knows_any(self, db: Connection, messages: Collection[int]) -> bool:
        """Return whether any of these messages is stored."""
        return any(
            db.execute(select(table.c.message).where(self._ours(table), table.c.message.in_(messages))).first()
            for table in (TURNS, INBOX)
        )

    @checkpoint_after
    @transaction
    def forget_messages(self, db: Connection, messages: Collection[int]) -> None:
        """Delete messages and the answers to them."""
        for table in (TURNS, INBOX):
            db.execute(delete(table).where(self._ours(table), table.c.message.in_(messages)))

    @checkpoint_after
    @transaction
    def forget_member(self, db: Connection, guild: int, user: int) -> None:
        """Delete a user's messages in a server and the answers to them."""
        for table in (TURNS, INBOX):
            db.execute(delete(table).where(self._ours(table), table.c.guild == guild, table.c.author == user))

    @checkpoint_after
    @transaction
    def forget_older(self, db: Connection, days: float) -> set[int]:
        """Delete turns and unanswered messages older than `days`; return the channels of those turns."""
        then = self.clock() - days * 86_400
        old = select(TURNS.c.channel).where(self._ours(TURNS), TURNS.c.at < then).distinct()
        channels = set(db.execute(old).scalars())
        for table in (TURNS, INBOX, QUOTES):
            db.execute(delete(table).where(self._ours(table), table.c.at < then))
        return channels

    @checkpoint_after
    @transaction
    def forget_places(self, db: Connection, places: Iterable[int]) -> None:
        """Delete all that is stored for these servers, including their channels, and for these channels and threads."""
        self._forget_places(db, list(places))

    def _forget_places(self, db: Connection, places: Sequence[int]) -> None:
        columns = (SETTINGS.c.place, TURNS.c.channel, INBOX.c.channel, QUOTES.c.channel)
        for table, column in zip((SETTINGS, TURNS, INBOX, QUOTES), columns, strict=True):
            db.execute(delete(table).where(self._ours(table), column.in_(places) | table.c.guild.in_(places)))

    @transaction
    def depart(self, db: Connection, guild: int, channels: Iterable[int]) -> None:
        """Note that the application has left a server, which has these channels."""
        # Rows from before the server was stored are found by their channel only.
        for table, column in ((SETTINGS, SETTINGS.c.place), (TURNS, TURNS.c.channel)):
            orphans = (self._ours(table), table.c.guild.is_(None), column.in_([guild, *channels]))
            db.execute(update(table).where(*orphans).values(guild=guild))
        self._depart(db, [guild])

    def _depart(self, db: Connection, guilds: Iterable[int]) -> None:
        for guild in guilds:
            row = {"application": self.application, "guild": guild, "at": self.clock()}
            db.execute(self._insert(DEPARTURES).values(row).on_conflict_do_nothing())

    @transaction
    def note_departures(self, db: Connection, guilds: Collection[int], ours: Callable[[int], bool]) -> None:
        """Note which servers with rows the application has left: those that are `ours`, but not in `guilds`, where it is."""
        db.execute(delete(DEPARTURES).where(self._ours(DEPARTURES), DEPARTURES.c.guild.in_(guilds)))
        stored = union(*(select(table.c.guild).where(self._ours(table)) for table in (SETTINGS, TURNS, INBOX)))
        present = {*guilds, None}
        self._depart(db, [guild for guild in db.execute(stored).scalars() if guild not in present and ours(guild)])

    @read_transaction
    def departed(self, db: Connection) -> set[int]:
        """Return the servers that the application has left, and whose data is kept for some days more."""
        return set(db.execute(select(DEPARTURES.c.guild).where(self._ours(DEPARTURES))).scalars())

    @checkpoint_after
    @transaction
    def forget_departed(self, db: Connection, days: float) -> set[int]:
        """Delete all that is stored for servers that were left more than `days` ago; return those and their channels."""
        left = (self._ours(DEPARTURES), DEPARTURES.c.at < self.clock() - days * 86_400)
        guilds = list(db.execute(select(DEPARTURES.c.guild).where(*left)).scalars())
        channels = select(TURNS.c.channel).where(self._ours(TURNS), TURNS.c.guild.in_(guilds)).distinct()
        gone = {*guilds, *db.execute(channels).scalars()}
        self._forget_places(db, guilds)
        db.execute(delete(DEPARTURES).where(*left))
        return gone
