"""Scan as a whole on real stores, with peers that do what a test says."""

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import grpc
import httpx2
import pytest

from eco2.character.v1 import character_pb2, character_service_pb2, character_service_pb2_grpc
from eco2.rules.v1 import disposal_pb2, rules_service_pb2, rules_service_pb2_grpc
from eco2.scan.v1 import operations_service_pb2_grpc, scan_pb2, scan_service_pb2, scan_service_pb2_grpc
from eco2.vision.v1 import classification_pb2, vision_service_pb2, vision_service_pb2_grpc
from mesh import telemetry
from mesh.identity import USER_HEADER
from mesh.models.spent import HEADER as SPENT_HEADER
from mesh.server import Service, serving
from mesh.settings import ServiceSettings
from scan_svc.app import application
from scan_svc.settings import ScanSettings
from tests.conftest import Storage

PHOTO = b"\xff\xd8 a photo, as far as storage is concerned \xff\xd9"
METAL = classification_pb2.Category(major="재활용폐기물", middle="금속류")
PLACE = disposal_pb2.Place(place_id="p1", name="견본 수거함", location={"latitude": 37.5, "longitude": 126.9})


class Peers(
    vision_service_pb2_grpc.VisionServiceServicer,
    rules_service_pb2_grpc.RulesServiceServicer,
    character_service_pb2_grpc.CharacterServiceServicer,
):
    """Vision, Rules and Character in one. `before[method]` runs first: raise to fail, wait to hold."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.before: dict[str, Callable[[], Awaitable[object]]] = {}
        self.asks: tuple[str, ...] = ()  # what answers leave open
        self.usage: dict[str, Any] | None = None  # what a look and an answer cost
        self.told: list[str] = []  # what callers say was spent, of each call that costs
        self.cancelled = asyncio.Event()

    async def _called(self, method: str) -> None:
        self.calls[method] += 1
        if method in self.before:
            try:
                await self.before[method]()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise

    async def Classify(self, request: Any, context: Any) -> AsyncIterator[vision_service_pb2.ClassifyResponse]:
        for phase in (1, 2, 3):
            yield vision_service_pb2.ClassifyResponse(progress={"phase": phase})
        self.told.append(dict(context.invocation_metadata()).get(SPENT_HEADER, ""))  # the release before says nothing
        await self._called("Classify")
        found = classification_pb2.Classification(category=METAL, display_name="금속류", confidence=0.9)
        result = {"classification": found, "image_digest": "d", "usage": self.usage}
        yield vision_service_pb2.ClassifyResponse(result=result)

    async def MatchRules(self, request: Any, context: Any) -> rules_service_pb2.MatchRulesResponse:
        await self._called("MatchRules")
        return rules_service_pb2.MatchRulesResponse(
            rules=[{"rule_id": "metal", "category": METAL, "steps": ["비워요"]}]
        )

    async def ComposeAnswer(self, request: Any, context: Any) -> AsyncIterator[rules_service_pb2.ComposeAnswerResponse]:
        yield rules_service_pb2.ComposeAnswerResponse(text_delta="비우고 ")
        self.told.append(dict(context.invocation_metadata()).get(SPENT_HEADER, ""))  # the release before says nothing
        await self._called("ComposeAnswer")
        yield rules_service_pb2.ComposeAnswerResponse(
            answer={"text": "비우고 내놓아요.", "rule_ids": ["metal"], "insufficiencies": self.asks},
            usage=self.usage,
        )

    async def InterpretReply(self, request: Any, context: Any) -> rules_service_pb2.InterpretReplyResponse:
        """Understands "투명" alone; then nothing is open any more."""
        await self._called("InterpretReply")
        response = rules_service_pb2.InterpretReplyResponse(
            classification=request.classification, question=request.question, region=request.region, message="음…"
        )
        if "투명" in request.reply:
            response.understood, response.message, response.region, self.asks = True, "고마워요", "11440", ()
            response.classification.category.middle = "무색페트병"
        return response

    async def FindPlaces(self, request: Any, context: Any) -> rules_service_pb2.FindPlacesResponse:
        await self._called("FindPlaces")
        return rules_service_pb2.FindPlacesResponse(places=[PLACE])

    async def EvaluateReward(self, request: Any, context: Any) -> character_service_pb2.EvaluateRewardResponse:
        await self._called("EvaluateReward")
        if request.insufficiency_count:
            return character_service_pb2.EvaluateRewardResponse(
                reward={"outcome": character_pb2.Reward.OUTCOME_INSUFFICIENT}
            )
        character = character_pb2.Character(character_id="metally", name="메탈리", middle="금속류")
        return character_service_pb2.EvaluateRewardResponse(reward={"outcome": 1, "character": character})


class Client:
    """A user of Scan, over gRPC, as Envoy would present them."""

    def __init__(self, target: str, channel: grpc.aio.Channel, user: str) -> None:
        self.stub = scan_service_pb2_grpc.ScanServiceStub(channel)
        self.operations = operations_service_pb2_grpc.OperationsServiceStub(channel)
        self.target = target
        self.metadata: tuple[tuple[str, str], ...] = ((USER_HEADER, user), ("accept-language", "ko"))

    async def create(self, content: bytes = PHOTO, **fields: Any) -> scan_service_pb2.CreateScanResponse:
        upload = {
            "content_type": "image/jpeg",
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        request = scan_service_pb2.CreateScanRequest(upload=upload, **fields)
        return await self.stub.CreateScan(request, metadata=self.metadata)

    async def put(self, ticket: scan_service_pb2.UploadTicket, content: bytes = PHOTO) -> httpx2.Response:
        async with httpx2.AsyncClient() as http:
            return await http.request(ticket.method, ticket.url, headers=dict(ticket.headers), content=content)

    async def start(self, scan_id: str) -> scan_pb2.Scan:
        return await self.stub.StartScan(scan_service_pb2.StartScanRequest(scan_id=scan_id), metadata=self.metadata)

    async def get(self, scan_id: str) -> scan_pb2.Scan:
        return await self.stub.GetScan(scan_service_pb2.GetScanRequest(scan_id=scan_id), metadata=self.metadata)

    async def cancel(self, scan_id: str) -> scan_pb2.Scan:
        return await self.stub.CancelScan(scan_service_pb2.CancelScanRequest(scan_id=scan_id), metadata=self.metadata)

    async def reply(self, scan_id: str, reply: str, request_id: str = "") -> scan_service_pb2.AnswerQuestionResponse:
        request = scan_service_pb2.AnswerQuestionRequest(scan_id=scan_id, reply=reply, request_id=request_id)
        return await self.stub.AnswerQuestion(request, metadata=self.metadata)

    async def delete(self, scan_id: str) -> None:
        await self.stub.DeleteScan(scan_service_pb2.DeleteScanRequest(scan_id=scan_id), metadata=self.metadata)

    def watch(self, scan_id: str, after_version: int = 0) -> Any:
        request = scan_service_pb2.WatchScanRequest(scan_id=scan_id, after_version=after_version)
        return self.stub.WatchScan(request, metadata=self.metadata)

    async def started(self, **fields: Any) -> str:
        """A scan whose photo is uploaded and which is queued."""
        created = await self.create(**fields)
        (await self.put(created.upload)).raise_for_status()
        await self.start(created.scan.scan_id)
        return created.scan.scan_id

    async def finished(self, scan_id: str) -> scan_pb2.Scan:
        """The scan once it is in a terminal state."""
        last = None
        async for event in self.watch(scan_id):
            last = event
        assert last is not None
        assert last.type == scan_service_pb2.WatchScanResponse.TYPE_TERMINAL
        return last.scan


StartScanService = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def peers() -> Peers:
    """What the peers are told to do."""
    return Peers()


@pytest.fixture
async def peer_target(peers: Peers) -> AsyncIterator[str]:
    """Where the three peers are served."""
    settings = ServiceSettings(drain_seconds=0, grace_seconds=0)
    services = [
        Service("eco2.vision.v1.VisionService", vision_service_pb2_grpc.add_VisionServiceServicer_to_server, peers),
        Service("eco2.rules.v1.RulesService", rules_service_pb2_grpc.add_RulesServiceServicer_to_server, peers),
        Service(
            "eco2.character.v1.CharacterService",
            character_service_pb2_grpc.add_CharacterServiceServicer_to_server,
            peers,
        ),
    ]
    with telemetry.started("peers", settings) as shared:
        async with serving(settings, services, telemetry=shared) as server:
            yield f"127.0.0.1:{server.port}"


@pytest.fixture
async def empty_database(stack: Mapping[str, str]) -> AsyncIterator[str]:
    """A database without tables, to be restored into or migrated."""
    name = f"empty_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    try:
        await admin.execute(f"create database {name}")
        yield urlunsplit(urlsplit(stack["ECO2_DATABASE_URL"])._replace(path=f"/{name}"))
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture
def start_scan_service(database_url: str, redis_url: str, s3: Storage, peer_target: str) -> StartScanService:
    """Starts a Scan process' worth of service; settings may be overridden."""

    @asynccontextmanager
    async def start(user: str | None = None, **overrides: Any) -> AsyncIterator[Client]:
        values: dict[str, Any] = {
            "database_url": database_url,
            "redis_url": redis_url,
            "s3_endpoint": s3.endpoint,
            "s3_bucket": s3.bucket,
            "s3_access_key": s3.access_key,
            "s3_secret_key": s3.secret_key,
            "cdn_base_url": s3.cdn_base_url,
            "vision_target": peer_target,
            "rules_target": peer_target,
            "character_target": peer_target,
            "drain_seconds": 0,
            "grace_seconds": 1,
            "backoff_seconds": 0.02,
            "log_format": "console",
        }
        # The client outlives the service: what it is told last must reach it.
        async with AsyncExitStack() as clients, application(ScanSettings(**(values | overrides))) as server:
            target = f"127.0.0.1:{server.port}"
            channel = await clients.enter_async_context(grpc.aio.insecure_channel(target))
            yield Client(target, channel, user or f"user-{uuid.uuid4().hex}")

    return start


@pytest.fixture
async def client(start_scan_service: StartScanService) -> AsyncIterator[Client]:
    """A user of a running Scan service."""
    async with start_scan_service() as client:
        yield client
