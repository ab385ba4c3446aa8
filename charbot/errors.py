"""The errors that charbot raises on purpose.

    CharbotError                its message says what went wrong, where, and what to do about it
    ├── ConfigError             a setting is unknown, of the wrong type, or out of range (exit 78)
    ├── UsageError              a request or the command line makes no sense (exit 2)
    ├── ScriptError             a script is missing, unreadable, or in no known format
    ├── CorpusError             scripts were read, but there is not enough in them to train on
    ├── BundleError             a persona or base is missing, damaged, or of another version
    ├── TrainingError           training could not start, diverged, or could not be saved
    └── BusyError               the queue of requests for replies is full

Frontends show the message of a CharbotError, never its traceback.
"""

INTERRUPTED = 130
"""The exit code of a command that was stopped by Ctrl-C."""


class CharbotError(Exception):
    """An error that users can act on. Its text is the complete message for them."""

    exit_code = 1


class ConfigError(CharbotError):
    """A setting is unknown, of the wrong type, or out of range."""

    exit_code = 78


class UsageError(CharbotError):
    """A request or the command line makes no sense."""

    exit_code = 2


class ScriptError(CharbotError):
    """A script is missing, unreadable, or in no known format."""


class CorpusError(CharbotError):
    """Scripts were read, but there is not enough in them to train on."""


class BundleError(CharbotError):
    """A persona or base is missing, damaged, or of another version."""


class TrainingError(CharbotError):
    """Training could not start, diverged, or could not be saved."""


class BusyError(CharbotError):
    """The queue of requests for replies is full."""


class Cancelled(Exception):  # noqa: N818 (not an error: the caller asked for it)
    """The caller cancelled the request for a reply."""
