"""Protos of Scan's operations, to domain and back."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.jobs.dead_letters import DeadLetter, DeadLetterFilter, DeadLetterState
from scan_svc.jobs.stats import QueueStats, StageStats
from scan_svc.webhooks.message import DeliveryAttempt, DeliveryRecord


def dead_letter_filter(request: pb.ListDeadLettersRequest | pb.ReplayDeadLettersRequest) -> DeadLetterFilter:
    """Which dead letters a request means."""
    return DeadLetterFilter(
        stage=request.stage,
        reason=Reason(ErrorReason.Name(request.reason).removeprefix("ERROR_REASON_")) if request.reason else None,
        min_age=request.min_age.ToNanoseconds() / 1e9,
        state=DeadLetterState.ARCHIVED if request.state == pb.DeadLetter.STATE_ARCHIVED else DeadLetterState.DEAD,
    )


def dead_letter(letter: DeadLetter) -> pb.DeadLetter:
    """One dead letter, its error in every language."""
    return pb.DeadLetter(
        scan_id=letter.scan_id,
        stage=letter.stage,
        attempts=letter.attempts,
        replays=letter.replays,
        error=to_status(letter.failure.error(), *Locale),
        dead_time=_timestamp(letter.died_at),
        state=pb.DeadLetter.State.Value(f"STATE_{letter.state}"),
        usage=to_proto(letter.spent, classification_pb2.Usage) if letter.spent else None,
    )


def queue_stats(stats: QueueStats) -> pb.GetQueueStatsResponse:
    """What waits."""
    return pb.GetQueueStatsResponse(
        stages=[_stage_stats(stage) for stage in stats.stages], webhooks=_stage_stats(stats.webhooks)
    )


def webhook_delivery(record: DeliveryRecord) -> pb.WebhookDelivery:
    """One webhook and what became of it."""
    return pb.WebhookDelivery(
        webhook_id=record.webhook_id,
        event=record.event,
        url=record.url,
        state=pb.WebhookDelivery.State.Value(f"STATE_{record.state}"),
        create_time=_timestamp(record.created_at),
        next_time=_timestamp(record.next_at) if record.next_at else None,
        attempts=[_webhook_attempt(attempt) for attempt in record.attempts],
    )


def _webhook_attempt(attempt: DeliveryAttempt) -> pb.WebhookAttempt:
    wire = pb.WebhookAttempt(
        attempt=attempt.number, time=_timestamp(attempt.at), status=attempt.status, error=attempt.error
    )
    wire.duration.FromMilliseconds(attempt.duration_ms)
    return wire


def _stage_stats(stats: StageStats) -> pb.StageStats:
    wire = pb.StageStats(stage=stats.stage, ready=stats.ready, in_flight=stats.in_flight, dead=stats.dead)
    wire.oldest_age.FromNanoseconds(round(stats.oldest_age * 1e9))
    return wire


def _timestamp(moment: datetime) -> Timestamp:
    wire = Timestamp()
    wire.FromDatetime(moment)
    return wire
