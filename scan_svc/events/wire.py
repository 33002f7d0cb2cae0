"""Events to protos, and to CloudEvents' JSON format."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from eco2.events.v1 import event_pb2
from eco2.events.v1 import events_service_pb2 as pb
from scan_svc.events.events import Event

SOURCE: Final = "/eco2/scan"
SCHEMA: Final = "urn:eco2:eco2.events.v1.JobChange"

Wanted = Callable[[Event], bool]


def wanted(wish: pb.EventFilter) -> Wanted:
    """Tells whether an event is wanted."""
    kinds, job_id = frozenset(wish.kinds), wish.job_id.lower()
    exact = frozenset(kind for kind in wish.types if not kind.endswith(".*"))
    prefixes = tuple(kind[:-1] for kind in wish.types if kind.endswith(".*"))

    def wants(event: Event) -> bool:
        return (
            (not kinds or event.kind in kinds)
            and (not wish.types or event.type in exact or event.type.startswith(prefixes))
            and (not job_id or job_id in (event.subject, event.data.get("job_id")))
        )

    return wants


def event(given: Event) -> event_pb2.Event:
    """An event as a proto."""
    data = given.data
    change = event_pb2.JobChange(
        job_id=data.get("job_id", ""),
        stage=data.get("stage", ""),
        attempt=data.get("attempt"),
        worker_id=data.get("worker_id"),
        reason=data.get("reason") or "",
        next_time=_timestamp(datetime.fromisoformat(data["next_time"])) if data.get("next_time") else None,
    )
    return event_pb2.Event(
        id=str(given.id),
        source=SOURCE,
        type=given.type,
        subject=given.subject,
        time=_timestamp(given.at),
        kind=given.kind,
        traceparent=given.traceparent,
        data=change,
    )


def cloud_event(given: Event) -> bytes:
    """An event in CloudEvents' JSON format, structured mode."""
    attributes: Mapping[str, Any] = {
        "specversion": "1.0",
        "id": str(given.id),
        "source": SOURCE,
        "type": given.type,
        "subject": given.subject,
        "time": given.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": SCHEMA,
        # Of CloudEvents' documented extensions: partitioning, sequence and, where there is one, distributed tracing.
        "partitionkey": given.subject,
        "sequence": f"{given.id:020d}",
        **({"traceparent": given.traceparent} if given.traceparent else _NONE),
        "data": {name: value for name, value in given.data.items() if value is not None},
    }
    return msgspec.json.encode(attributes)


_NONE: Mapping[str, str] = MappingProxyType({})


def _timestamp(moment: datetime) -> Timestamp:
    return Timestamp(seconds=int(moment.timestamp()), nanos=moment.microsecond * 1000)
