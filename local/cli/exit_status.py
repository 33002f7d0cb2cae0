"""How a failing command ends: a line that says why, and an exit status.

Status 1: a server is down or the API refused; a retry may succeed. Status 2: an argument or a setting is wrong. Errors
that aren't listed here are bugs and keep their traceback.
"""

import re
import sys
from dataclasses import dataclass

from local.cli.api.errors import ApiError
from local.cli.display import terminal
from local.cli.session import NoStack
from local.errors import CannotStart, Disconnected, Misuse, NotStarted

_AWAY, _WRONG = 1, 2
_NONE, _MOST = 10, 99  # of several: what each failure raises by one; the highest

# Python reads an argument's or a variable's bytes as these when they aren't text in the terminal's encoding.
_UNREAD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a command ends.

    Attributes:
        line: For the user.
        status: For scripts.
        reason: For scripts that want to know more.
        wait: In how many seconds a retry may succeed; 0 if that isn't known.
        text: The line without reason and wait, for scripts that have these apart; empty if it is the line.
    """

    line: str
    status: int
    reason: str
    wait: int = 0
    text: str = ""

    def told(self, *, as_json: bool) -> str:
        """What a person or a script reads."""
        return self.text if as_json and self.text else self.line


def of(error: Exception) -> ExitStatus | None:
    """How an error ends a command; None for a bug."""
    match error:
        case ApiError(failure=failure):
            when = f" (try again in {failure.wait} s)" if failure.wait else ""
            line = f"{failure.reason}: {failure.text}{when}"
            return ExitStatus(line, _AWAY, failure.reason, failure.wait, failure.text)
        case Disconnected():
            return ExitStatus(f"Can't reach the stack ({error}). Is it up? Ask: eco2 doctor", _AWAY, "UNREACHABLE")
        case NoStack():
            return ExitStatus(str(error), _AWAY, "NO_STACK")
        case NotStarted() | CannotStart():
            return ExitStatus(str(error), _AWAY, "NOT_STARTED")
        case FileNotFoundError():
            return ExitStatus(f"Missing: {error}. Ask: eco2 doctor", _AWAY, "MISSING")
        case OSError(filename=None):
            return ExitStatus(f"The system refused: {error.strerror or error}", _AWAY, "SYSTEM")
        case OSError():
            return ExitStatus(f"{error.strerror}: {error.filename}", _WRONG, "FILE")
        case UnicodeEncodeError() if _UNREAD.search(error.object):
            line = f"Not text in the encoding {sys.getfilesystemencoding()}: {error.object!r}"
            return ExitStatus(line, _WRONG, "USAGE")
        case Misuse():
            return ExitStatus(str(error), _WRONG, "USAGE")
    return _of_setting(error)


def of_several(failed: int) -> int:
    """The status where of several things so many failed, and none stopped another."""
    return min(_NONE + failed, _MOST) if failed else 0


def complain(name: str, error: Exception, *, as_json: bool, **about: str) -> None:
    """Says why one of several things failed.

    Args:
        name: What a person calls it.
        error: Why.
        as_json: Whether a program reads it.
        about: What a program is told besides, such as its `scan_id`.

    Raises:
        Exception: The error itself, if it is a bug.
    """
    if (ending := of(error)) is None:
        raise error
    told = ending.told(as_json=as_json)
    line = told if as_json else f"{name}: {told}"
    terminal.complain(line, ending.reason, as_json=as_json, wait=ending.wait, **about)


def _of_setting(error: Exception) -> ExitStatus | None:
    """How a setting that can't be used ends a command; who raises it has loaded all of Pydantic, others needn't."""
    settings = sys.modules.get("mesh.settings")
    if settings and isinstance(error, settings.Misconfigured):
        return ExitStatus(str(error), _WRONG, "SETTING")
    return None
