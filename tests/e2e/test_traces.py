"""What a collector receives of a scan: one tree, from the edge to the model, with the codes that callers saw."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from PIL import Image

from local.stack import background
from local.standins.openai.server import OpenAIStandIn, running
from tests.e2e.conftest import Sign, jpeg
from tests.support.log_scan import faults
from tests.support.ports import free_port
from tests.support.stack_folders import stack_folder
from tests.support.telemetry_receiver import Received, Receiver, receiving
from tests.support.waiting import eventually, true_of

pytestmark = [pytest.mark.stack, pytest.mark.slow]

_KEY = "sk-canary-of-the-model"
_CALLBACK = "https://hook.eco2-canary.example/hook?token=canary-of-the-hook"
_VERSION = "00-{}-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    """Who receives the spans of all processes."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def port() -> int:
    """Where the stand-in for models listens, test after test."""
    return free_port()


@pytest.fixture(scope="module")
def stack(port: int, collector: Receiver) -> Iterator[Mapping[str, str]]:
    """A stack that exports, each service in a process of its own."""
    with stack_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", _KEY)
        patch.setenv("ECO2_OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        patch.setenv("ECO2_VISION_CHAIN", "gpt-4.1-mini")
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{collector.target}")
        patch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        with background.running(folder, processes=None) as variables:
            yield {**variables, "VAR": str(folder)}


@pytest.fixture
async def openai(port: int) -> AsyncIterator[OpenAIStandIn]:
    async with running(port=port) as stand_in:
        yield stand_in


def photo(shade: int) -> bytes:
    return jpeg(Image.new("RGB", (320, 240), (shade, 90, 160)))


async def tree(collector: Receiver, trace_id: str, complete: Callable[[set[str]], bool]) -> list[Received]:
    """The spans of a trace, once those that are waited for are there."""

    def there() -> bool:
        return complete({f"{one.service} {one.name}" for one in collector.of_trace(trace_id)})

    await eventually(lambda: true_of(there()))
    return collector.of_trace(trace_id)


def path_to(spans: list[Received], name: str) -> list[str]:
    """From the root to the one span of this name: services and names."""
    by_id = {one.span.span_id: one for one in spans}
    (found,) = (one for one in spans if f"{one.service} {one.name}" == name)
    path = [found]
    while parent := by_id.get(path[0].span.parent_span_id):
        path.insert(0, parent)
    return [f"{one.service} {one.name}" for one in path]


def told_alike(spans: list[Received]) -> bool:
    """Whether each call between services is told by the same code at both its ends."""
    by_id = {one.span.span_id: one for one in spans}
    served = [one for one in spans if one.span.kind == Span.SPAN_KIND_SERVER and one.service != "eco2-edge"]
    ends = [(one, asked) for one in served if (asked := by_id.get(one.span.parent_span_id)) and asked.code]
    return bool(ends) and all(one.code == asked.code for one, asked in ends)


async def test_a_scan_is_one_tree_from_the_edge_to_the_model(
    sign_in: Sign, openai: OpenAIStandIn, collector: Receiver
) -> None:
    """Its upload, its stages, its reward, its webhook and its replies, whoever called for them and when."""
    phone = sign_in("user-canary")
    scan_id = await phone.started(photo(10), callback_url=_CALLBACK)
    await phone.finished(scan_id)
    assert (await phone.call("POST", f"/v1/scans/{scan_id}:answer", {"reply": "아니요"})).status_code == 200

    def created() -> list[Received]:
        return [one for one in collector.of_scan(scan_id) if one.name.endswith("CreateScan")]

    await eventually(lambda: true_of(bool(created())))
    needed = {
        "eco2-edge POST", "eco2-scan process webhook", "eco2-scan process reply", "eco2-scan process reward",
        "eco2-vision chat gpt-4.1-mini", "eco2-rules chat gpt-4.1-mini",
    }  # fmt: skip
    spans = await tree(collector, created()[0].trace_id, needed.issubset)
    by_id = {one.span.span_id for one in spans}
    assert [f"{one.service} {one.name}" for one in spans if one.span.parent_span_id not in by_id] == ["eco2-edge POST"]
    assert path_to(spans, "eco2-vision chat gpt-4.1-mini") == [
        "eco2-edge POST",
        "eco2-scan eco2.scan.v1.ScanService/CreateScan",
        "eco2-scan process scan",
        "eco2-scan stage vision",
        "eco2-scan eco2.vision.v1.VisionService/Classify",
        "eco2-vision eco2.vision.v1.VisionService/Classify",
        "eco2-vision chat gpt-4.1-mini",
    ]
    assert {one.attributes.get("eco2.scan.id") for one in spans if one.service != "eco2-edge"} == {scan_id}
    names = {f"{one.service} {one.name}" for one in spans}
    assert {"eco2-vision S3/GetObject", "eco2-vision SET", "eco2-scan finish", "eco2-character record_rewards"} <= names
    assert told_alike(spans)
    assert not [
        one.name for one in spans if one.code not in ("", "OK", "UNAVAILABLE")
    ]  # the sum of the day is asked for


async def test_calls_of_another_trace_point_to_the_scans(
    sign_in: Sign, openai: OpenAIStandIn, collector: Receiver
) -> None:
    """A phone that doesn't trace gives each call a trace of its own: a viewer follows the scan's id, or the links."""
    phone = sign_in()
    scan_id = await phone.started(photo(20))
    await phone.finished(scan_id)

    def linked() -> set[str]:
        spans = collector.of_scan(scan_id)
        return {link.trace_id.hex() for one in spans if one.name.endswith("StartScan") for link in one.span.links}

    await eventually(lambda: true_of(bool(linked())))
    spans = collector.of_scan(scan_id)
    assert linked() == {one.trace_id for one in spans if one.name.endswith("CreateScan")}


async def test_a_trace_of_the_clients_holds_it_all(sign_in: Sign, openai: OpenAIStandIn, collector: Receiver) -> None:
    """Who traces finds in their own trace what we did."""
    phone, trace_id = sign_in(), uuid.uuid4().hex
    phone.headers["traceparent"] = _VERSION.format(trace_id)
    scan_id = await phone.started(photo(30))
    await phone.finished(scan_id)
    spans = await tree(collector, trace_id, {"eco2-edge POST", "eco2-scan process reward"}.issubset)
    assert {one.trace_id for one in collector.of_scan(scan_id)} == {trace_id}
    roots = {one.service for one in spans if one.span.parent_span_id.hex() == "00f067aa0ba902b7"}
    assert roots == {"eco2-edge"}


async def test_what_fails_is_told_by_the_code_that_its_caller_saw(
    sign_in: Sign, openai: OpenAIStandIn, collector: Receiver
) -> None:
    """At the edge, at the service and at its peer; a caller's own mistake is no server's error."""
    phone, trace_id = sign_in(), uuid.uuid4().hex
    phone.headers["traceparent"] = _VERSION.format(trace_id)
    scan = await phone.finished(await phone.started(b"no photo at all"))
    assert scan["state"] == "STATE_FAILED"
    assert (await phone.call("GET", f"/v1/scans/{uuid.uuid4()}")).status_code == 404
    spans = await tree(collector, trace_id, {"eco2-scan eco2.scan.v1.ScanService/GetScan"}.issubset)
    (refused,) = (one for one in spans if one.name.endswith("/GetScan"))
    assert (refused.code, refused.span.status.code) == ("NOT_FOUND", 0)
    classified = [one for one in spans if one.name.endswith("/Classify")]
    assert {one.span.kind for one in classified} == {Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER}
    assert "INVALID_ARGUMENT" in {one.code for one in classified}
    assert told_alike(spans)


async def test_spans_say_whose_they_are_and_nothing_of_anybody(
    sign_in: Sign, openai: OpenAIStandIn, collector: Receiver, stack: Mapping[str, str]
) -> None:
    """No user, no token, no key, no signed address, no place in a query, no address of a client."""
    phone = sign_in("user-canary")
    created = await phone.create(photo(50), callback_url=_CALLBACK)
    await phone.put(created["upload"], photo(50))
    scan_id = created["scan"]["scan_id"]
    await phone.call("POST", f"/v1/scans/{scan_id}:start", {})
    await phone.finished(scan_id)
    await phone.call("GET", "/v1/places?location.latitude=37.5&location.longitude=127.123456")
    await eventually(lambda: true_of(any(one.name.endswith("/FindPlaces") for one in collector.spans())))
    told = "\n".join(json_format.MessageToJson(request) for request in collector.requests)
    token = phone.headers["Authorization"].split()[1]
    canaries = ("user-canary", token, _KEY, "canary-of-the-hook", "X-Amz-", "127.123456", "python-httpx", "select ")
    assert [canary for canary in canaries if canary in told] == []
    edges = [one for one in collector.spans() if (one.service, one.span.kind) == ("eco2-edge", Span.SPAN_KIND_SERVER)]
    assert {one.attributes["peer.address"] for one in edges} == {"-"}
    resources = [part.resource for request in collector.requests for part in request.resource_spans]
    keys = [{pair.key for pair in resource.attributes} for resource in resources]
    assert all({"service.name", "deployment.environment.name"} <= one for one in keys)


async def test_no_log_of_it_all_holds_a_secret(sign_in: Sign, openai: OpenAIStandIn, stack: Mapping[str, str]) -> None:
    """After scans, refusals and hostile input: neither of what was used nor of what looks like it."""
    phone = sign_in("user-canary-of-the-logs")
    token = phone.headers["Authorization"].split()[1]
    created = await phone.create(photo(60), callback_url=_CALLBACK)
    await phone.put(created["upload"], photo(60))
    await phone.call("POST", f"/v1/scans/{created['scan']['scan_id']}:start", {})
    await phone.finished(created["scan"]["scan_id"])
    hostile = {"image_url": "https://127.0.0.1/?token=canary-of-an-address", "user_input": "me@canary-of-mail.example"}
    for path in ("/v1/scans", f"/v1/scans?access_token={token}", "/v1/auth/refresh"):
        await phone.call("POST", path, hostile)
    phone.headers["x-request-id"] = "canary-of-a-request"
    refused = await phone.call("GET", f"/v1/scans/{uuid.uuid4()}")
    assert uuid.UUID(refused.headers["x-request-id"])

    folder = Path(stack["VAR"])
    asked = refused.headers["x-request-id"]

    def written() -> bool:
        return all(asked in (folder / "log" / f"{name}.log").read_text("utf-8") for name in ("scan", "envoy"))

    await eventually(lambda: true_of(written()))
    used = [
        token, _KEY, created["webhook_secret"], created["upload"]["url"].split("?")[1], "canary-of-the-hook",
        "canary-of-an-address", "canary-of-mail", "user-canary-of-the-logs", "canary-of-a-request",
        *(stack[name] for name in ("ECO2_TOKEN", "ECO2_OPERATOR_TOKEN", "ECO2_S3_SECRET_KEY", "ECO2_AUTH_SECRETS")),
    ]  # fmt: skip
    assert list(faults(folder, used)) == []
