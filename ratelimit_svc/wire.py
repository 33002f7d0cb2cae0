"""Envoy's descriptors as calls, and what was counted as Envoy's response."""

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2 as error_details_pb2  # the JSON needs the details' types

from eco2.ratelimit.v3 import rate_limit_service_pb2 as pb
from mesh.errors import ResourceExhausted
from mesh.grpc.status import DETAILS_HEADER, to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from ratelimit_svc.buckets import Count
from ratelimit_svc.limits import WINDOW_SECONDS

# What the edge calls what it knows of a request (`rate_limits` in envoy/edge.yaml), and what the limits call subjects.
_RPC, _LANGUAGE, _METHOD = "rpc", "language", "method"
SUBJECTS = {"user": "user", "masked_remote_address": "address"}


@dataclass(frozen=True, slots=True)
class Call:
    """One subject's call.

    Attributes:
        kind: "user" or "address".
        subject: Which.
        rpc: Such as "eco2.scan.v1.ScanService/CreateScan".
        language: What the caller reads, as Accept-Language says it.
        over_rest: Whether it came over REST.
    """

    kind: str
    subject: str
    rpc: str
    language: str
    over_rest: bool


def to_calls(request: pb.RateLimitRequest) -> Iterator[Call | None]:
    """The call of each descriptor; None if it names no subject or no RPC."""
    for descriptor in request.descriptors:
        known = {entry.key: entry.value for entry in descriptor.entries}
        subject = next(((kind, known[key]) for key, kind in SUBJECTS.items() if known.get(key)), None)
        rpc = known.get(_RPC, "").lstrip("/")
        language = known.get(_LANGUAGE, "")
        yield Call(*subject, rpc, language, _METHOD in known) if subject and rpc else None


def from_counts(counts: Sequence[tuple[Call, Count] | None]) -> pb.RateLimitResponse:
    """The verdict: over the limit if one call is, which is then the last."""
    response = pb.RateLimitResponse(overall_code=pb.RateLimitResponse.OK)
    for counted in counts:
        response.statuses.append(
            _status(*counted) if counted else pb.RateLimitResponse.DescriptorStatus(code=pb.RateLimitResponse.OK)
        )
        if counted and counted[1].left is None:
            _refuse(response, *counted)
    return response


def _status(call: Call, count: Count) -> pb.RateLimitResponse.DescriptorStatus:
    over = count.left is None
    return pb.RateLimitResponse.DescriptorStatus(
        code=pb.RateLimitResponse.OVER_LIMIT if over else pb.RateLimitResponse.OK,
        current_limit=pb.RateLimitResponse.RateLimit(
            requests_per_unit=count.limit, unit=pb.RateLimitResponse.RateLimit.MINUTE, name=call.kind
        ),
        limit_remaining=count.left or 0,
        duration_until_reset=Duration(seconds=math.ceil(count.seconds)),
    )


def _refuse(response: pb.RateLimitResponse, call: Call, count: Count) -> None:
    """Adds what the caller reads: the same as of any error of a service."""
    seconds = max(1, math.ceil(count.seconds))
    error = ResourceExhausted(
        Reason.RATE_LIMIT,
        rpc=call.rpc.rpartition("/")[2],
        most=count.limit,
        window_seconds=WINDOW_SECONDS,
        retry_after=seconds,
    )
    status = to_status(error, Locale.parse(call.language))
    headers = {"retry-after": str(seconds)}
    if call.over_rest:
        body = json_format.MessageToJson(status, preserving_proto_field_name=True, indent=None, ensure_ascii=False)
        response.raw_body = body.encode()
    else:
        headers["grpc-message"] = status.message  # plain words and numbers: nothing to escape
        headers[DETAILS_HEADER] = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    response.overall_code = pb.RateLimitResponse.OVER_LIMIT
    response.dynamic_metadata["refused"] = True  # the edge writes no body of its own then
    for key, value in headers.items():
        response.response_headers_to_add.add(key=key, value=value)
