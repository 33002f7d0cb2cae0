"""Operations over gRPC: for the people on duty. The contract stands in `operations_service.proto`."""

import base64
from datetime import datetime
from typing import Any

import msgspec

from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1 import operations_service_pb2_grpc
from mesh.errors import InvalidArgument, Reason
from scan_svc import wire
from scan_svc.pipeline import STAGES
from scan_svc.progress import ScanReader
from scan_svc.queue import DeadLetter, JobQueue

_PAGE_DEFAULT = 50
_PAGE_LIMIT = 500


class OperationsServicer(operations_service_pb2_grpc.OperationsServiceServicer):
    """What waits, what died, and another try.

    Args:
        queue: The job table.
        reader: Makes replayed scans known to their watchers.
    """

    def __init__(self, queue: JobQueue, reader: ScanReader) -> None:
        self._queue = queue
        self._reader = reader

    async def ListDeadLetters(self, request: pb.ListDeadLettersRequest, context: Any) -> pb.ListDeadLettersResponse:
        """Dead letters, longest dead first."""
        size = min(request.page_size or _PAGE_DEFAULT, _PAGE_LIMIT)
        after = _decode(request.page_token) if request.page_token else None
        letters = await self._queue.dead_letters(request.stage, after, size + 1)
        return pb.ListDeadLettersResponse(
            dead_letters=[wire.dead_letter(letter) for letter in letters[:size]],
            next_page_token=_encode(letters[size - 1]) if len(letters) > size else "",
        )

    async def ReplayScan(self, request: pb.ReplayScanRequest, context: Any) -> pb.ReplayScanResponse:
        """Queues a dead letter again from the stage that failed."""
        stage = await self._queue.replay(request.scan_id)
        await self._reader.refresh(request.scan_id)
        return pb.ReplayScanResponse(stage=stage)

    async def GetQueueStats(self, request: pb.GetQueueStatsRequest, context: Any) -> pb.GetQueueStatsResponse:
        """What waits at each stage, in pipeline order."""
        order = [stage.name for stage in STAGES]
        stats = sorted(await self._queue.stats(), key=lambda entry: order.index(entry.stage))
        return pb.GetQueueStatsResponse(stages=[wire.stage_stats(entry) for entry in stats])


def _encode(letter: DeadLetter) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((letter.died_at, letter.job_id))).decode()


def _decode(token: str) -> tuple[datetime, int]:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[datetime, int])
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN) from error
