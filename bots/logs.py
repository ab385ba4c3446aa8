"""Logs on standard error: plain text on a terminal, JSON lines elsewhere."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Formats each record as a JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def start_logs() -> None:
    """Set up logging to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s") if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("charbot").setLevel(logging.INFO)
    # discord.py warns if libraries for voice channels are missing, which the bot does not use.
    logging.getLogger("discord.client").setLevel(logging.ERROR)
