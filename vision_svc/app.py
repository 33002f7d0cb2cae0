"""Composition root of the Vision service.

    VisionServicer ── Examiner ─┬─ Lane ── PhotoStorage ── S3
                                ├─ Memory ──────────────── Redis, if there is one
                                ├─ Lane ── PhotoWeb ────── public addresses only
                                ├─ Decoders ────────────── processes: cleaning, colours
                                └─ Chain ─┬─ Cached ── HostedClassifier ── OpenAI or a compatible server
                                          │                └─ taxonomy ─── Rules
                                          └─ Cached ── Offline ─────────── ONNX file, head

The offline model is loaded before the port is opened, or tried there if it stands behind a hosted one: a Vision that
can't see is never healthy.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from opentelemetry.metrics import Meter

from eco2.vision.v1.vision_service_pb2_grpc import add_VisionServiceServicer_to_server
from mesh import telemetry
from mesh.addresses import open_public_client
from mesh.redis import GuardedRedis, open_redis
from mesh.server import Server, Service, serving
from mesh.storage import open_bucket
from vision_svc.admission import Admission
from vision_svc.cache import Cached, Memory, open_memory
from vision_svc.chain import Chain, Classifier
from vision_svc.classification import Classification
from vision_svc.decoding import open_decoders
from vision_svc.examination import Examiner, Lane, Repeat
from vision_svc.peers import open_taxonomy
from vision_svc.providers import standby
from vision_svc.servicer import VisionServicer
from vision_svc.settings import OFFLINE, VisionSettings
from vision_svc.storage import PhotoStorage
from vision_svc.web import PhotoWeb

NAME = "eco2.vision.v1.VisionService"


@asynccontextmanager
async def application(settings: VisionSettings) -> AsyncIterator[Server]:
    """The running service.

    Raises:
        ModelUnusable: The offline model hasn't been built, or can't be loaded.
    """
    with (
        telemetry.started("vision", settings) as signals,
        ThreadPoolExecutor(settings.vision_threads, "vision-cpu") as cpu,
    ):
        async with (
            open_bucket(settings) as bucket,
            _open_redis(settings) as redis,
            open_public_client("image_url") as client,
            open_decoders(settings.vision_threads, settings.vision_decode_seconds) as decoders,
            open_chain(settings, cpu, redis, signals.meter) as chain,
            open_memory(redis, "vision:file:", Repeat) as repeats,
        ):
            storage = PhotoStorage(bucket)
            web = PhotoWeb(client, settings.vision_fetch_seconds)
            examiner = Examiner(
                Lane(storage, Admission(settings.vision_places, settings.vision_queue)),
                Lane(web, Admission(settings.vision_outside_places, settings.vision_queue)),
                decoders.clean,
                chain,
                repeats,
            )
            service = Service(
                NAME, add_VisionServiceServicer_to_server, VisionServicer(examiner, settings.cdn_base_url)
            )
            async with serving(settings, [service], telemetry=signals, dependencies={"s3": storage.probe}) as server:
                yield server


@asynccontextmanager
async def _open_redis(settings: VisionSettings) -> AsyncIterator[GuardedRedis | None]:
    """Redis, if these settings name one."""
    if not settings.redis_url:
        yield None
        return
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        yield redis


@asynccontextmanager
async def open_chain(
    settings: VisionSettings, cpu: Executor, redis: GuardedRedis | None, meter: Meter
) -> AsyncIterator[Chain]:
    """The classifiers in the order they are asked."""
    hosted = [name for name in settings.chain if name != OFFLINE]
    classifiers: dict[str, Cached] = {}
    async with AsyncExitStack() as stack:
        opinions = await stack.enter_async_context(open_memory(redis, "vision:opinion:", Classification))
        if hosted:
            # Not at the top: without a hosted model the SDK would take 40 MiB for nothing.
            from mesh.models.opening import open_models
            from vision_svc.flights import SingleFlight
            from vision_svc.providers.hosted import HostedClassifier

            taxonomy = await stack.enter_async_context(open_taxonomy(settings.rules_target))
            for model in await stack.enter_async_context(open_models(settings, hosted, meter)):
                looking = HostedClassifier(model, taxonomy.current, settings.vision_detail)
                classifiers[model.name] = Cached(SingleFlight(looking), opinions)
        if OFFLINE in settings.chain:
            offline = await _open_offline(settings.vision_model, cpu, first=not hosted)
            classifiers[OFFLINE] = Cached(offline, Memory(None, "", Classification))
        yield Chain([classifiers[name] for name in settings.chain])


async def _open_offline(backbone: Path, cpu: Executor, *, first: bool) -> Classifier:
    """The offline model: loaded if it is asked first, else tried and loaded when the others fail."""
    loop, load = asyncio.get_running_loop(), partial(standby.load, backbone, cpu)
    if first:
        return await loop.run_in_executor(cpu, load)
    await loop.run_in_executor(cpu, standby.demand_usable, backbone)
    return standby.Standby(load, cpu)
