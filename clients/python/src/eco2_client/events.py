"""What a scan tells on its way, as typed events."""

from dataclasses import dataclass

from eco2_client.errors import ScanFailed
from eco2_client.models import Classification, Scan, ScanState


@dataclass(frozen=True, slots=True)
class ScanEvent:
    """Something happened to a scan.

    Attributes:
        scan: The whole scan as far as it is.
    """

    scan: Scan


@dataclass(frozen=True, slots=True)
class Accepted(ScanEvent):
    """The photo is there and the scan is queued. From now on it runs to its end, whether or not anybody watches."""


@dataclass(frozen=True, slots=True)
class Progress(ScanEvent):
    """It got further.

    Attributes:
        percent: 0 to 100.
        stage: "vision", "rules", "answer", "places" or "done"; empty before the first; a newer server may have others.
        message: One line for the user.
    """

    percent: int
    stage: str
    message: str


@dataclass(frozen=True, slots=True)
class Classified(ScanEvent):
    """It is known what the photo shows, long before the answer is written.

    Attributes:
        classification: What it shows.
    """

    classification: Classification


@dataclass(frozen=True, slots=True)
class AnswerText(ScanEvent):
    """The answer got longer.

    Attributes:
        text: As much of the answer as there is.
        added: What is new in it, to print after what was printed before.
        rewritten: Whether the text began anew: what was there before doesn't hold, and `added` is all of it.
    """

    text: str
    added: str
    rewritten: bool


@dataclass(frozen=True, slots=True)
class Finished(ScanEvent):
    """The end: the scan has succeeded. Nothing follows. Of one that hasn't, `ScanFailed` is raised instead."""


class ScanReader:
    """Tells what changed from one state of a scan to the next."""

    def __init__(self) -> None:
        self._progress: tuple[int, str, str] | None = None
        self._classification: Classification | None = None
        self._text = ""

    def read(self, scan: Scan, *, ended: bool) -> list[ScanEvent]:
        """The events of a newer state.

        Args:
            scan: The state.
            ended: Whether it is the last one.

        Raises:
            ScanFailed: It is the last one, and there is no answer.
        """
        events: list[ScanEvent] = []
        if (told := scan.progress) is not None:
            progress = (told.percent or 0, told.stage, told.message)
            if progress != self._progress:
                self._progress = progress
                events.append(Progress(scan, *progress))
        if scan.classification is not None and scan.classification != self._classification:
            self._classification = scan.classification
            events.append(Classified(scan, scan.classification))
        text = scan.answer.text if scan.answer else scan.answer_draft
        if text and text != self._text:
            rewritten = not text.startswith(self._text)
            events.append(AnswerText(scan, text, text if rewritten else text[len(self._text) :], rewritten))
            self._text = text
        if ended:
            events.append(finished(scan))
        return events


def finished(scan: Scan) -> Finished:
    """The last event of a scan.

    Raises:
        ScanFailed: There is no answer.
    """
    if scan.state is not ScanState.SUCCEEDED:
        raise ScanFailed(scan)
    return Finished(scan)
