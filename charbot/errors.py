"""Every error that charbot raises on purpose.

    CharbotError                what went wrong, where, and what to do about it
    ├── ConfigError             a setting is unknown, of the wrong type, or out of range (exit 78)
    ├── UsageError              the command line asks for something that makes no sense (exit 2)
    ├── ScriptError             a script is missing, unreadable, or in no known format
    ├── CorpusError             scripts were read, but there is not enough in them to train on
    ├── BundleError             a persona or base is missing, damaged, or of another version
    ├── TrainingError           a fit could not start, diverged, or could not be saved
    └── BusyError               so many wait for replies that nobody else is let in

A frontend turns one of these into one message; it never shows a traceback for it.
"""

INTERRUPTED = 130
"""The exit code of a command that was stopped by Ctrl-C."""


class CharbotError(Exception):
    """An error that the person at the keyboard can act on. Its text is the whole message."""

    exit_code = 1


class ConfigError(CharbotError):
    """A setting is unknown, of the wrong type, or out of range."""

    exit_code = 78


class UsageError(CharbotError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class ScriptError(CharbotError):
    """A script is missing, unreadable, or in no known format."""


class CorpusError(CharbotError):
    """Scripts were read, but there is not enough in them to train on."""


class BundleError(CharbotError):
    """A persona or base is missing, damaged, or of another version."""


class TrainingError(CharbotError):
    """A fit could not start, diverged, or could not be saved."""


class BusyError(CharbotError):
    """So many wait for replies that nobody else is let in."""


class Cancelled(Exception):  # noqa: N818 (not an error: somebody asked for it)
    """A reply is no longer wanted."""
