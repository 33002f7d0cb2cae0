"""Consumers of the log over gRPC and as text: all of them get the same, at their own pace."""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import grpc
import pytest

from eco2.events.v1 import events_service_pb2 as pb
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService, reason

SECONDS = 60.0
_JOBS = 200
_MAKE = """
insert into scan.job (kind, ref, state, stage)
select 'scan', uuidv7(), 'READY', 'vision' from generate_series(1, $1::integer)
"""
_CLAIM = "update scan.job set state = 'LEASED', token = token + 1, attempt = attempt + 1 where kind = 'scan'"
_RELEASE = "update scan.job set state = 'READY', token = token + 1, attempt = attempt - 1 where kind = 'scan'"
_OPEN = """
select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database, past the service."""
    connection = await asyncpg.connect(database_url)
    yield connection
    connection.terminate()


@pytest.fixture
async def client(start_scan_service: StartScanService) -> AsyncIterator[Client]:
    """Scan, serving users and nothing else, with heartbeats that come soon."""
    async with start_scan_service(scan_role="api", heartbeat_seconds=0.2) as client:
        yield client


@asynccontextmanager
async def consumer(target: str, cursor: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """A consumer in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.scan.events.consumer", target, cursor, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def ids(process: asyncio.subprocess.Process, last: str = "") -> list[str]:
    """The ids that a consumer has got: up to one, or the first alone."""
    assert process.stdout
    got = []
    async with asyncio.timeout(SECONDS):
        while True:
            got.append((await process.stdout.readline()).decode().strip())
            if got[-1] == last or not last:
                return got


async def log(database: asyncpg.Connection) -> list[str]:
    """The ids of all events, in the order of reading."""
    return [str(row["id"]) for row in await database.fetch("select id from scan.event order by clock, id")]


async def test_three_consumers_one_frozen_and_one_late_get_the_same_sequence(
    client: Client, database: asyncpg.Connection
) -> None:
    """Nothing is kept for the frozen one, neither a page nor a transaction; it goes on where it was."""
    async with consumer(client.target) as quick, consumer(client.target) as frozen:
        await database.execute(_MAKE, _JOBS)
        first = await ids(frozen)
        os.kill(frozen.pid, signal.SIGSTOP)
        for statement in (_CLAIM, _RELEASE) * 15:  # more than what connections and their buffers take
            await database.execute(statement)
        told = await log(database)
        assert await ids(quick, told[-1]) == told
        assert await database.fetchval(_OPEN) == 0
        os.kill(frozen.pid, signal.SIGCONT)
        assert first + await ids(frozen, told[-1]) == told
        async with consumer(client.target) as late:
            assert await ids(late, told[-1]) == told


async def test_a_consumer_goes_on_from_its_cursor(client: Client, database: asyncpg.Connection) -> None:
    """Without a gap and without a repetition."""
    await database.execute(_MAKE, 5)
    got: list[str] = []
    cursor = ""
    for _ in range(3):  # the first message says where the consumer stands
        stream = client.events.SubscribeEvents(pb.SubscribeEventsRequest(cursor=cursor), timeout=SECONDS)
        for _ in range(2):
            response = await stream.read()
            got += [event.id for event in response.events]
            cursor = response.cursor
        stream.cancel()
        await database.execute(_MAKE, 5)
    assert got == (await log(database))[:-5]


async def test_news_come_at_once_and_silence_has_a_heartbeat(client: Client, database: asyncpg.Connection) -> None:
    """From the latest event on: what came before isn't told."""
    await database.execute(_MAKE, 3)
    stream = client.events.SubscribeEvents(pb.SubscribeEventsRequest(cursor="latest"), timeout=SECONDS)
    assert not (await stream.read()).events
    assert not (await stream.read()).events
    await database.execute(_MAKE, 1)
    responses = [await stream.read()]
    while not responses[-1].events:
        responses.append(await stream.read())
    (event,) = responses[-1].events
    assert (event.type, event.kind, event.source, event.data.stage) == (
        "eco2.scan.accepted",
        "scan",
        "/eco2/scan",
        "vision",
    )
    stream.cancel()


async def test_the_cursor_moves_on_though_nothing_is_wanted(client: Client, database: asyncpg.Connection) -> None:
    """A consumer of rare events mustn't have to read the whole log again, or fall out of what is kept."""
    wish = pb.EventFilter(kinds=["batch"], types=["eco2.batch.*"])
    stream = client.events.SubscribeEvents(pb.SubscribeEventsRequest(filter=wish), timeout=SECONDS)
    cursors = [(await stream.read()).cursor]
    await database.execute(_MAKE, 10)
    last = await database.fetchval("select max(id) from scan.event")
    while int(cursors[-1].split("-")[2]) != last:
        response = await stream.read()
        assert not response.events
        cursors.append(response.cursor)
    stream.cancel()


@pytest.mark.parametrize(
    ("wish", "number"),
    [
        pytest.param({}, 60, id="everything"),
        pytest.param({"kinds": ["scan"]}, 60, id="kind"),
        pytest.param({"kinds": ["webhook"]}, 0, id="another kind"),
        pytest.param({"types": ["eco2.scan.stage.*"]}, 40, id="prefix"),
        pytest.param({"types": ["eco2.scan.accepted", "eco2.scan.stage.released"]}, 40, id="types"),
        pytest.param({"types": ["eco2.scan.stage"]}, 0, id="no prefix"),
    ],
)
async def test_a_filter_leaves_out_the_rest(
    client: Client, database: asyncpg.Connection, wish: dict[str, list[str]], number: int
) -> None:
    """By kind, by type, and by both."""
    for statement in (_CLAIM, _RELEASE):
        if statement is _CLAIM:
            await database.execute(_MAKE, 20)
        await database.execute(statement)
    last = int((await log(database))[-1])
    request = pb.SubscribeEventsRequest(filter=pb.EventFilter(**wish))
    stream = client.events.SubscribeEvents(request, timeout=SECONDS)
    got, reached = 0, 0
    while reached != last:
        response = await stream.read()
        got, reached = got + len(response.events), int(response.cursor.split("-")[2])
    stream.cancel()
    assert got == number


@pytest.mark.parametrize(
    ("cursor", "code", "why"),
    [
        pytest.param("nonsense", grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD, id="malformed"),
        pytest.param("1-900000000000-1-1", grpc.StatusCode.OUT_OF_RANGE, Reason.EVENTS_AHEAD, id="future"),
        pytest.param("0-1-1-1", grpc.StatusCode.OUT_OF_RANGE, Reason.EVENTS_DROPPED, id="dropped"),
    ],
)
async def test_a_cursor_that_is_no_place_in_the_log_is_refused(
    client: Client, cursor: str, code: grpc.StatusCode, why: Reason
) -> None:
    """A consumer that was sent from there on would miss something, or wait for ever."""
    stream = client.events.SubscribeEvents(pb.SubscribeEventsRequest(cursor=cursor), timeout=SECONDS)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert (caught.value.code(), reason(caught.value)) == (code, why)


async def test_text_is_cloud_events_and_goes_on_after_the_last_id(client: Client, database: asyncpg.Connection) -> None:
    """In structured mode, an event a message; `id` is the cursor."""
    await database.execute(_MAKE, 3)
    first = await _frames(client, 3)
    attributes = json.loads(first[0]["data"])
    data = attributes.pop("data")
    assert {name: attributes[name] for name in ("specversion", "source", "type", "datacontenttype", "dataschema")} == {
        "specversion": "1.0",
        "source": "/eco2/scan",
        "type": "eco2.scan.accepted",
        "datacontenttype": "application/json",
        "dataschema": "urn:eco2:eco2.events.v1.JobChange",
    }
    assert attributes["time"].endswith("Z")
    assert attributes["subject"] == attributes["partitionkey"] == data["job_id"]
    following = await _frames(client, 2, last=first[0]["id"])
    assert following == first[1:]


async def _frames(client: Client, number: int, last: str = "") -> list[dict[str, str]]:
    """So many events of a stream of text."""
    metadata = (("last-event-id", last),) if last else ()
    stream = client.events.StreamEvents(pb.StreamEventsRequest(), metadata=metadata, timeout=SECONDS)
    frames: list[dict[str, str]] = []
    while len(frames) < number:
        message = await stream.read()
        assert message.content_type == "text/event-stream"
        for text in message.data.decode().strip().split("\n\n"):
            frame = dict(line.split(": ", 1) for line in text.splitlines())
            frames += [frame] if "data" in frame else []
    stream.cancel()
    return frames


async def test_the_events_of_one_job_are_listed_page_by_page(client: Client, database: asyncpg.Connection) -> None:
    """Those of others are not among them."""
    await database.execute(_MAKE, 2)
    for statement in (_CLAIM, _RELEASE, _CLAIM):
        await database.execute(statement)
    job = str(await database.fetchval("select ref from scan.job limit 1"))
    token, types = "", list[str]()
    for _ in itertools.count():
        page = await client.events.ListEvents(pb.ListEventsRequest(job_id=job, page_size=3, page_token=token))
        assert {event.subject for event in page.events} == {job}
        types += [event.type.removeprefix("eco2.scan.") for event in page.events]
        if not (token := page.next_page_token):
            break
    assert types == ["accepted", "stage.started", "stage.released", "stage.started"]


async def test_too_many_consumers_are_sent_away(start_scan_service: StartScanService) -> None:
    """Those that are there are served on; the next one comes in when one has gone."""
    async with start_scan_service(scan_role="api", event_consumer_limit=1) as client:
        first = client.events.SubscribeEvents(pb.SubscribeEventsRequest(), timeout=SECONDS)
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.events.SubscribeEvents(pb.SubscribeEventsRequest(), timeout=SECONDS).read()
        assert reason(caught.value) == Reason.WATCH_LIMIT
        first.cancel()


async def test_a_service_that_leaves_ends_its_streams_in_order(start_scan_service: StartScanService) -> None:
    """A consumer sees no fault, and goes on elsewhere."""
    async with start_scan_service(scan_role="api", grace_seconds=30) as client:
        stream = client.events.SubscribeEvents(pb.SubscribeEventsRequest(), timeout=SECONDS)
        await stream.read()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK
