"""The `eco2` command line: runs a command, and ends with its status.

Only what every command needs is imported here; `local.cli.commands` says where the others are.
"""

import os
import signal
import sys

import click

from local.cli.commands import COMPLETE_VARIABLE, eco2
from local.cli.display import terminal

_INTERRUPTED, _CLOSED = 128 + signal.SIGINT, 128 + signal.SIGPIPE


def main() -> None:
    """Runs a command; expected errors are printed in a line, without a traceback.

    Raises:
        SystemExit: Always, with the status.
    """
    # As Ctrl-C: everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    terminal.degrade()
    try:
        status = _run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must not be tried again as Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _CLOSED
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    """Not by click's own `main`, which ends otherwise at Ctrl-C and at a closed pipe, and prints to it again."""
    as_json = "--json" in _words(arguments)
    try:
        return _completed() if os.environ.get(COMPLETE_VARIABLE) else _called(arguments)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        terminal.complain("Interrupted.", "INTERRUPTED", as_json=as_json)
        return _INTERRUPTED
    except click.Abort as error:  # while a question was asked
        interrupted = isinstance(error.__context__, KeyboardInterrupt)
        line, reason = ("Interrupted.", "INTERRUPTED") if interrupted else ("Aborted.", "ABORTED")
        terminal.complain(line, reason, as_json=as_json)
        return _INTERRUPTED if interrupted else 1
    except click.ClickException as error:
        if as_json:
            terminal.complain(error.format_message(), "USAGE", as_json=True)
        else:
            error.show()
        return error.exit_code
    except Exception as error:
        from local.cli import exit_status  # not at the top: what it knows takes longer to load than most commands

        if (ending := exit_status.of(error)) is None:
            raise
        terminal.complain(ending.told(as_json=as_json), ending.reason, as_json=as_json, wait=ending.wait)
        return ending.status


def _called(arguments: list[str]) -> int:
    try:
        with eco2.make_context("eco2", arguments) as context:
            return int(eco2.invoke(context) or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code


def _completed() -> int:
    """Answers the script of `eco2 completion`."""
    from click.shell_completion import shell_complete

    return shell_complete(eco2, {}, "eco2", COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE])


def _words(arguments: list[str]) -> list[str]:
    """Those before "--". What can't be parsed is complained of in JSON as well, so they are looked at here."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments
