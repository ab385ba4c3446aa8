"""What the bot writes on its standard error: lines for people at a terminal, JSON lines anywhere else."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def start_logs() -> None:
    """Has everything logged from here on."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s") if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("charbot").setLevel(logging.INFO)
    # It warns of what only voice channels need.
    logging.getLogger("discord.client").setLevel(logging.ERROR)
