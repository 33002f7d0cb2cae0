"""How a failing command ends: a line that says why, and an exit status.

Status 1: a server is down or the API refused; a retry may succeed. Status 2: an argument or a setting is wrong. Errors
that aren't listed here are bugs and keep their traceback.
"""

import re
import sys
from dataclasses import dataclass

from local.cli.api.errors import ApiError
from local.cli.session import NoStack
from local.errors import CannotStart, Disconnected, Misuse, NotStarted
from mesh.settings import Misconfigured

_AWAY, _WRONG = 1, 2

# Python reads an argument's or a variable's bytes as these when they aren't text in the terminal's encoding.
_UNREAD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a command ends.

    Attributes:
        line: For the user.
        status: For scripts.
    """

    line: str
    status: int


def of(error: Exception) -> ExitStatus | None:
    """How an error ends a command; None for a bug."""
    match error:
        case ApiError(failure=failure):
            when = f" (try again in {failure.wait} s)" if failure.wait else ""
            return ExitStatus(f"{failure.reason}: {failure.text}{when}", _AWAY)
        case Disconnected():
            return ExitStatus(f"Can't reach the stack ({error}). Is it up? Ask: eco2 doctor", _AWAY)
        case NoStack() | NotStarted() | CannotStart():
            return ExitStatus(str(error), _AWAY)
        case FileNotFoundError():
            return ExitStatus(f"Missing: {error}. Ask: eco2 doctor", _AWAY)
        case OSError(filename=None):
            return ExitStatus(f"The system refused: {error.strerror or error}", _AWAY)
        case OSError():
            return ExitStatus(f"{error.strerror}: {error.filename}", _WRONG)
        case UnicodeEncodeError() if _UNREAD.search(error.object):
            return ExitStatus(f"Not text in the encoding {sys.getfilesystemencoding()}: {error.object!r}", _WRONG)
        case Misuse() | Misconfigured():
            return ExitStatus(str(error), _WRONG)
    return None
