"""Which stages this worker process does.

A fleet may be divided, so that what waits for Vision and what waits for answers scale apart.

A worker claims only scans that wait at a stage of its own, and hands a scan over when it comes to another: the job is
given back, untried, and those who do that stage are woken.
"""

from collections.abc import Collection
from dataclasses import dataclass

from scan_svc.pipeline.stages import ORDER, REWARD


@dataclass(frozen=True, slots=True)
class StagesHere:
    """The stages of one process.

    Attributes:
        names: Which; empty: all. Places are looked for by whoever writes the answer.
    """

    names: Collection[str] = ()

    def does(self, stage: str) -> bool:
        """Whether a stage is done here."""
        return not self.names or stage in self.names

    @property
    def claimed(self) -> tuple[str, ...]:
        """The stages at which scans are claimed here, in order; empty: at all of them.

        Where the release before left a scan, at its reward, all do what is left, which is to end it.
        """
        return (*filter(self.does, ORDER), REWARD) if self.names else ()

    @property
    def scans(self) -> bool:
        """Whether scans are worked on here at all."""
        return any(map(self.does, ORDER))
