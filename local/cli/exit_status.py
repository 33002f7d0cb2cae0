"""How a command ends that can't do its work: a line that says why, and a status that says whose turn it is.

Status 1: something is away, or the API refused; the same words may do another time. Status 2: what was typed or set
can't work. What isn't expected here is a mistake of ours and keeps its traceback.
"""

import re
import sys
from dataclasses import dataclass

from local.cli.api.errors import ApiError, Disconnected, Misuse
from local.cli.session import NoStack
from local.stack.stack import Refused
from local.stack.supervisor import NotStarted

_AWAY, _WRONG = 1, 2

# Python reads an argument's or a variable's bytes as these when they aren't text in the terminal's encoding.
_UNREAD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """The end of a command.

    Attributes:
        line: What a person reads.
        status: What a script reads.
    """

    line: str
    status: int


def of(error: Exception) -> ExitStatus | None:
    """How an error ends a command; None for a mistake of ours."""
    match error:
        case ApiError(failure=failure):
            return ExitStatus(f"{failure.reason}: {failure.text}", _AWAY)
        case Disconnected():
            return ExitStatus(f"Can't reach the stack ({error}). Is it up? Ask: eco2 doctor", _AWAY)
        case NoStack() | NotStarted() | Refused():
            return ExitStatus(str(error), _AWAY)
        case FileNotFoundError():
            return ExitStatus(f"Missing: {error}. Ask: eco2 doctor", _AWAY)
        case OSError(filename=None):
            return ExitStatus(f"The system refused: {error.strerror or error}", _AWAY)
        case OSError():
            return ExitStatus(f"{error.strerror}: {error.filename}", _WRONG)
        case UnicodeEncodeError() if _UNREAD.search(error.object):
            return ExitStatus(f"Not text in the encoding {sys.getfilesystemencoding()}: {error.object!r}", _WRONG)
        case Misuse():
            return ExitStatus(str(error), _WRONG)
    return None
