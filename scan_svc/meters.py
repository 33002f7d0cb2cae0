"""What is counted of scans as they go. No attribute is an id."""

from typing import Self

from mesh.observability.instruments import Instruments
from mesh.reasons import Reason
from scan_svc import metrics


class ScanMeters:
    """The counters of one process.

    Args:
        instruments: Make them.

    Attributes:
        instruments: As above, for what is read when somebody collects.
    """

    def __init__(self, instruments: Instruments) -> None:
        self.instruments = instruments
        self._created = instruments.counter(metrics.CREATED)
        self._admissions = instruments.counter(metrics.ADMISSIONS)
        self._ended = instruments.counter(metrics.ENDED)
        self._first_results = instruments.histogram(metrics.FIRST_RESULT)
        self._durations = instruments.histogram(metrics.DURATION)
        self._overheads = instruments.histogram(metrics.OVERHEAD)
        self._stages = instruments.histogram(metrics.STAGE)
        self._lease_losses = instruments.counter(metrics.LEASE_LOSSES)
        self._rescued = instruments.counter(metrics.RESCUED)
        self._quarantined = instruments.counter(metrics.QUARANTINED)
        self._dead_letters = instruments.counter(metrics.DEAD_LETTERS)
        self._replays = instruments.counter(metrics.REPLAYS)
        self._deliveries = instruments.histogram(metrics.DELIVERY)
        self._photos = instruments.counter(metrics.PHOTOS_REMOVED)
        self._lag = instruments.series(metrics.WATCH_LAG, {})
        # Objectives are kept by these: the first failure of a kind must be seen, too.
        for priority in metrics.PRIORITIES:
            for admitted in (True, False):
                self.admission(priority, admitted=admitted, count=0)
        for state in ("succeeded", "cancelled", "expired"):
            self.ended(state, 0)
        for reason in Reason:
            self._ended.add(0, {"eco2.scan.state": "failed", "error.type": reason})

    @classmethod
    def off(cls) -> Self:
        """Those of a process that tells nobody."""
        return cls(Instruments.off())

    def created(self) -> None:
        """A scan was stored."""
        self._created.add(1)

    def admission(self, priority: str, *, admitted: bool, count: int = 1) -> None:
        """A scan was let in, or refused since too many wait."""
        outcome = "admitted" if admitted else "refused"
        self._admissions.add(count, {"eco2.scan.priority": priority, "eco2.outcome": outcome})

    def ended(self, state: str, count: int = 1) -> None:
        """Scans have succeeded, were cancelled or have expired."""
        self._ended.add(count, {"eco2.scan.state": state})

    def first_result(self, seconds: float) -> None:
        """A classification is shown, so many seconds after its scan was queued."""
        self._first_results.record(seconds)

    def failed(self, reason: str) -> None:
        """A scan has failed for good."""
        self._ended.add(1, {"eco2.scan.state": "failed", "error.type": reason})

    def duration(self, state: str, seconds: float) -> None:
        """A scan has succeeded or failed, so many seconds after it was queued."""
        self._durations.record(seconds, {"eco2.scan.state": state})

    def overhead(self, seconds: float) -> None:
        """Of these, what neither classifier nor writer took."""
        self._overheads.record(seconds)

    def stage(self, stage: str, outcome: str, seconds: float) -> None:
        """A try of a stage has ended."""
        self._stages.record(seconds, {"eco2.stage": stage, "eco2.outcome": outcome})

    def lease_lost(self, kind: str) -> None:
        """A result came when somebody else had the job."""
        self._lease_losses.add(1, {"eco2.job.kind": kind})

    def rescued(self, count: int) -> None:
        """Jobs were taken back from silent workers."""
        self._rescued.add(count)

    def quarantined(self, count: int) -> None:
        """Suspects are run apart."""
        self._quarantined.add(count)

    def dead_letter(self, stage: str) -> None:
        """A job has failed for good and may be replayed."""
        self._dead_letters.add(1, {"eco2.stage": stage})

    def replayed(self, count: int) -> None:
        """Dead letters were queued again."""
        self._replays.add(count, {"eco2.outcome": "replayed"})

    def archived(self, count: int) -> None:
        """Dead letters were set aside for a person."""
        self._replays.add(count, {"eco2.outcome": "archived"})

    def delivery(self, outcome: str, seconds: float) -> None:
        """A webhook was tried."""
        self._deliveries.record(seconds, {"eco2.outcome": outcome})

    def photos(self, outcome: str, count: int) -> None:
        """Photos were removed, or couldn't be."""
        self._photos.add(count, {"eco2.outcome": outcome})

    def watch_lag(self, seconds: float) -> None:
        """A change is handed to a watcher."""
        self._lag(max(0.0, seconds))
