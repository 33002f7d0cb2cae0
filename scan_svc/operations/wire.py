"""Protos of Scan's operations, to domain and back."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import model_spending_pb2, scan_pb2, scan_timeline_pb2
from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.dates import moment
from scan_svc.jobs.dead_letters import DeadLetter, DeadLetterFilter, DeadLetterState
from scan_svc.jobs.stats import QueueStats, StageStats
from scan_svc.mirrors.vision import Usage
from scan_svc.operations.model_spending import Budget, ModelSpending
from scan_svc.operations.scan_records import FailedAttempt, ScanFilter, ScanRecord, Timeline
from scan_svc.scan_proto import canonical, timestamp
from scan_svc.scans import StageRun, State
from scan_svc.webhooks.message import DeliveryAttempt, DeliveryRecord, DeliveryState

# Gives what stands for a user.
Pseudonym = Callable[[str], str]

_Attempt = scan_timeline_pb2.StageAttempt


def scan_filter(request: pb.SearchScansRequest) -> ScanFilter:
    """Which scans a request means.

    Raises:
        InvalidArgument: There is no such time.
    """
    return ScanFilter(
        request.user_id,
        canonical(request.same_user_as),
        State(scan_pb2.Scan.State.Name(request.state).removeprefix("STATE_")) if request.state else None,
        *creation_times(request),
    )


def creation_times(
    request: pb.SearchScansRequest | pb.ListSlowestScansRequest,
) -> tuple[datetime | None, datetime | None]:
    """When the scans meant were created: from, and before.

    Raises:
        InvalidArgument: There is no such time.
    """
    return (
        moment(request.from_time, field="from_time") if request.HasField("from_time") else None,
        moment(request.until_time, field="until_time") if request.HasField("until_time") else None,
    )


def scan_summary(record: ScanRecord, pseudonym: Pseudonym) -> scan_timeline_pb2.ScanSummary:
    """One scan, without whose it is."""
    return scan_timeline_pb2.ScanSummary(
        scan_id=record.scan_id,
        user=pseudonym(record.user_id),
        state=scan_pb2.Scan.State.Value(f"STATE_{record.state}"),
        stage=record.stage,
        attempts=record.attempts,
        worker_id=record.worker_id,
        next_time=timestamp(record.due_at),
        create_time=timestamp(record.created_at),
        start_time=timestamp(record.started_at),
        end_time=timestamp(record.finished_at),
        duration=None if record.seconds is None else _duration(record.seconds * 1000),
        reason=_reason(record.reason),
        cost_micro_usd=record.cost_micro_usd,
    )


def timeline(found: Timeline, pseudonym: Pseudonym) -> scan_timeline_pb2.ScanTimeline:
    """What a scan went through, in the order of time."""
    attempts = [*map(_succeeded, found.runs), *map(_failed, found.failed)]
    return scan_timeline_pb2.ScanTimeline(
        scan=scan_summary(found.scan, pseudonym),
        trace_id=found.trace_id,
        attempts=sorted(attempts, key=lambda one: one.end_time.ToNanoseconds()),
    )


def model_spending(models: Sequence[ModelSpending], budget: Budget) -> pb.GetModelSpendingResponse:
    """The day's money."""
    return pb.GetModelSpendingResponse(
        day_time=timestamp(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)),
        budget_micro_usd=budget.day or None,
        user_budget_micro_usd=budget.user or None,
        spent_micro_usd=sum(one.cost_micro_usd for one in models),
        models=[to_proto(one, model_spending_pb2.ModelSpending) for one in models],
    )


def dead_letter_filter(request: pb.ListDeadLettersRequest | pb.ReplayDeadLettersRequest) -> DeadLetterFilter:
    """Which dead letters a request means."""
    return DeadLetterFilter(
        stage=request.stage,
        reason=Reason(ErrorReason.Name(request.reason).removeprefix("ERROR_REASON_")) if request.reason else None,
        min_age=request.min_age.ToNanoseconds() / 1e9,
        state=DeadLetterState.ARCHIVED if request.state == pb.DeadLetter.STATE_ARCHIVED else DeadLetterState.DEAD,
    )


def dead_letter(letter: DeadLetter, pseudonym: Pseudonym) -> pb.DeadLetter:
    """One dead letter, its error in every language, and not whose it is."""
    return pb.DeadLetter(
        scan_id=letter.scan_id,
        stage=letter.stage,
        attempts=letter.attempts,
        replays=letter.replays,
        error=to_status(letter.failure.error(), *Locale),
        dead_time=timestamp(letter.died_at),
        state=pb.DeadLetter.State.Value(f"STATE_{letter.state}"),
        usage=_usage(letter.spent),
        kind=letter.kind,
        user=pseudonym(letter.user_id),
    )


def queue_stats(stats: QueueStats) -> pb.GetQueueStatsResponse:
    """What waits."""
    return pb.GetQueueStatsResponse(
        stages=[_stage_stats(stage) for stage in stats.stages], webhooks=_stage_stats(stats.webhooks)
    )


def delivery_state(state: "pb.WebhookDelivery.State.ValueType") -> DeliveryState | None:
    """In which state webhooks are asked for; None for any."""
    return DeliveryState(pb.WebhookDelivery.State.Name(state).removeprefix("STATE_")) if state else None


def webhook_delivery(record: DeliveryRecord) -> pb.WebhookDelivery:
    """One webhook and what became of it."""
    return pb.WebhookDelivery(
        webhook_id=record.webhook_id,
        event=record.event,
        url=record.url,
        state=pb.WebhookDelivery.State.Value(f"STATE_{record.state}"),
        create_time=timestamp(record.created_at),
        next_time=timestamp(record.next_at),
        attempts=[_webhook_attempt(attempt) for attempt in record.attempts],
        scan_id=record.scan_id,
    )


def _succeeded(run: StageRun) -> _Attempt:
    took = timedelta(milliseconds=run.duration_ms)
    return _Attempt(
        stage=run.stage,
        attempt=run.attempts,
        outcome=_Attempt.OUTCOME_SUCCEEDED,
        start_time=timestamp(run.ended_at - took) if run.ended_at else None,
        end_time=timestamp(run.ended_at),
        duration=_duration(run.duration_ms),
        worker_id=run.worker_id or None,
        usage=_usage(run.usage),
    )


def _failed(attempt: FailedAttempt) -> _Attempt:
    error, took = attempt.error, attempt.duration_ms
    return _Attempt(
        stage=attempt.stage,
        attempt=attempt.attempt,
        outcome=_Attempt.OUTCOME_FAILED if error else _Attempt.OUTCOME_LOST,
        start_time=None if took is None else timestamp(attempt.ended_at - timedelta(milliseconds=took)),
        end_time=timestamp(attempt.ended_at),
        duration=None if took is None else _duration(took),
        worker_id=attempt.worker_id,
        error=to_status(error.error(), *Locale) if error else None,
        usage=_usage(Usage.of_failure(error.metadata)) if error else None,
    )


def _webhook_attempt(attempt: DeliveryAttempt) -> pb.WebhookAttempt:
    return pb.WebhookAttempt(
        attempt=attempt.number,
        time=timestamp(attempt.at),
        status=attempt.status,
        error=attempt.error,
        duration=_duration(attempt.duration_ms),
    )


def _stage_stats(stats: StageStats) -> pb.StageStats:
    return pb.StageStats(
        stage=stats.stage,
        ready=stats.ready,
        in_flight=stats.in_flight,
        dead=stats.dead,
        oldest_age=_duration(stats.oldest_age * 1000),
        batch_ready=stats.batch_ready,
        batch_oldest_age=_duration(stats.batch_oldest_age * 1000),
    )


def _usage(usage: Usage | None) -> classification_pb2.Usage | None:
    return to_proto(usage, classification_pb2.Usage) if usage else None


def _reason(name: str) -> "ErrorReason.ValueType":
    """A reason that only a newer release knows is none here."""
    known = ErrorReason.DESCRIPTOR.values_by_name.get(f"ERROR_REASON_{name}")
    return ErrorReason.Value(known.name) if known else ErrorReason.ERROR_REASON_UNSPECIFIED


def _duration(milliseconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(milliseconds * 1e6))
    return duration
