"""How a command ends that can't do its work: a line that says why, and a status that says whose turn it is.

Status 1: something is away, or the API refused; the same words may do another time. Status 2: what was typed or set
can't work. What isn't expected here is a mistake of ours and keeps its traceback.
"""

import re
import sys
from dataclasses import dataclass

from local.failures import ApiError, Disconnected, Misuse
from local.process import NotStarted
from local.session import NoStack
from local.stack import Refused

_AWAY, _WRONG = 1, 2

# Python reads an argument's or a variable's bytes as these when they aren't text in the terminal's encoding.
_UNREAD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a command.

    Attributes:
        line: What a person reads.
        status: What a script reads.
    """

    line: str
    status: int


def of(error: Exception) -> Ending | None:
    """How an error ends a command; None for a mistake of ours."""
    match error:
        case ApiError(failure=failure):
            return Ending(f"{failure.reason}: {failure.text}", _AWAY)
        case Disconnected():
            return Ending(f"Can't reach the stack ({error}). Is it up? Ask: eco2 doctor", _AWAY)
        case NoStack() | NotStarted() | Refused():
            return Ending(str(error), _AWAY)
        case FileNotFoundError():
            return Ending(f"Missing: {error}. Ask: eco2 doctor", _AWAY)
        case OSError(filename=None):
            return Ending(f"The system refused: {error.strerror or error}", _AWAY)
        case OSError():
            return Ending(f"{error.strerror}: {error.filename}", _WRONG)
        case UnicodeEncodeError() if _UNREAD.search(error.object):
            return Ending(f"Not text in the encoding {sys.getfilesystemencoding()}: {error.object!r}", _WRONG)
        case Misuse():
            return Ending(str(error), _WRONG)
    return None
