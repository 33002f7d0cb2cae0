"""What is measured of one lease: its stages, the whole scan, and how much of that the models took.

A batch scan waits on purpose, up to an hour: its times would be taken for trouble, so they aren't told.
"""

import time

from scan_svc.jobs.leases import SCAN_KIND, Lease
from scan_svc.meters import ScanMeters
from scan_svc.pipeline.stages import ANSWER, VISION
from scan_svc.scans import Step


class LeaseMeasures:
    """One lease's.

    Args:
        meters: Count it.
        lease: As it was claimed.
    """

    def __init__(self, meters: ScanMeters, lease: Lease) -> None:
        self._meters = meters
        self._lease = lease
        self._stage_began = time.monotonic()
        self._classifying_since: float | None = None
        self._in_models = 0.0
        # Of a scan that was tried before, or elsewhere, nobody here knows what models took.
        self._whole = lease.stage == VISION and lease.attempt == 1

    @property
    def stage_ms(self) -> int:
        """How long the stage has been at it."""
        return round((time.monotonic() - self._stage_began) * 1000)

    def stage_begins(self) -> None:
        """A try of a stage begins."""
        self._stage_began = time.monotonic()
        self._classifying_since = None

    def step(self, step: Step) -> None:
        """The stage is at a step now."""
        if step is Step.CLASSIFY and self._classifying_since is None:
            self._classifying_since = time.monotonic()

    def performed(self, stage: str) -> None:
        """The stage is done; its result isn't stored yet."""
        now = time.monotonic()
        if stage == VISION:
            self._in_models += now - (self._classifying_since or now)
        elif stage == ANSWER:
            self._in_models += now - self._stage_began

    def stage_ended(self, stage: str, outcome: str) -> None:
        """How a try has ended."""
        self._meters.stage(stage, outcome, time.monotonic() - self._stage_began)

    def first_result(self) -> None:
        """The classification is shown."""
        if not self._lease.batch:
            self._meters.first_result(self._age())

    def succeeded(self) -> None:
        """The scan has succeeded."""
        self._meters.ended("succeeded")
        if self._lease.batch:
            return
        age = self._age()
        self._meters.duration("succeeded", age)
        if self._whole:
            self._meters.overhead(max(0.0, age - self._in_models))

    def failed(self, stage: str, reason: str, *, replayable: bool) -> None:
        """The scan has failed for good."""
        self._meters.failed(reason)
        if not self._lease.batch:
            self._meters.duration("failed", self._age())
        if replayable:
            self._meters.dead_letter(stage)

    def fenced(self, stage: str) -> None:
        """Somebody else has the job."""
        self.stage_ended(stage, "fenced")
        self._meters.lease_lost(SCAN_KIND)

    def _age(self) -> float:
        """Seconds since the scan was queued."""
        return self._lease.age + time.monotonic() - self._lease.asked_at
