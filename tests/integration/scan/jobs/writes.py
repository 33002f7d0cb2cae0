"""What a worker writes of the scan that it holds."""

import asyncio

from mesh.errors import Internal
from mesh.reasons import Reason
from scan_svc.jobs.leases import Checkpoint, Lease
from scan_svc.mirrors.vision import Classification
from scan_svc.scans import Failure, StageRun
from tests.support.scan.fake_peers import METAL
from tests.support.scan.scan_parts import ScanParts


def vision_done(lease: Lease) -> Checkpoint:
    """What the vision stage writes when it is done."""
    return Checkpoint(lease, lease.scan, "rules", {"vision": Classification(METAL)}, [StageRun("vision", 1, 1)])


FAILURE = Failure.of(Internal(Reason.INTERNAL, trace_id=""))


async def checkpoints(parts: ScanParts, *leases: Lease) -> list[type]:
    """Writes the checkpoints of several leases in one commit; returns what came of each."""
    writes = (parts.queue.checkpoint(vision_done(lease)) for lease in leases)
    return [type(outcome) for outcome in await asyncio.gather(*writes, return_exceptions=True)]
