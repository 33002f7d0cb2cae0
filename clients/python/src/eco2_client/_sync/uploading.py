# Written by `make gen` from _async/. Don't edit it.
"""A file on its way, for whatever is made of one: announced, uploaded, started."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from eco2_client._sync.http import Http
from eco2_client.errors import Disconnected, Eco2Error, FailedPrecondition, TimedOut, UploadRefused
from eco2_client.files import Content
from eco2_client.models import JobUploadTarget, Reason, UploadTicket
from eco2_client.retries import Attempts

T = TypeVar("T")

_MOST_REFUSALS = 4
_LOST = frozenset({Reason.PHOTO_NOT_UPLOADED, Reason.UPLOAD_MISSING})


@dataclass(frozen=True, slots=True)
class Announced(Generic[T]):
    """What waits for its file.

    Attributes:
        of: The scan, or the job.
        ticket: Where to put the file; None: a repetition of what was started before.
        late: What to raise if the file isn't there in time.
    """

    of: T
    ticket: UploadTicket | JobUploadTarget | None
    late: TimedOut


class UploadSteps(Protocol[T]):
    """What stands before and after an upload."""

    def announce(self, attempts: Attempts) -> Announced[T]:
        """Announces the file; each time the same one, with a fresh address."""

    def start(self, of: T, attempts: Attempts) -> T:
        """Starts what waits for it."""


def uploaded(http: Http, steps: UploadSteps[T], content: Content, attempts: Attempts) -> T:
    """What is started with its file in storage. What fails is tried with a fresh address for the same file.

    Raises:
        ApiError, UploadRefused, Disconnected, TimedOut: It doesn't come that far.
    """
    refused = 0
    while True:
        announced = steps.announce(attempts)
        if announced.ticket is None:
            return announced.of
        try:
            http.upload(announced.ticket, content, attempts)
            return steps.start(announced.of, attempts)
        except TimedOut:
            raise announced.late from None
        except Eco2Error as error:
            refused += isinstance(error, UploadRefused)
            if refused > _MOST_REFUSALS:
                raise
            http.clock.sleep(attempts.pause_after(_lost(error)))


def _lost(error: Eco2Error) -> Eco2Error:
    """Storage may lose what it has taken, as when its disk does: then the file is uploaded again."""
    if isinstance(error, FailedPrecondition) and error.reason in _LOST:
        return Disconnected("object storage has lost the file")
    return error
