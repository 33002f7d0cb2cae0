"""Errors that end a command; `local.cli.exit_status` maps them to a line and a status."""


class Disconnected(Exception):
    """The connection was lost, or never made; a retry may succeed."""


class Misuse(Exception):
    """An argument or a setting is wrong; the text names it."""


class NotStarted(Exception):
    """A program didn't get ready; the text says how it ended, with its last log lines."""


class CannotStart(Exception):
    """The stack can't start in this folder; the text says why and what to do."""
