"""Composition root of the Vision service.

    VisionServicer ── PhotoClassifier ─┬─ PhotoSource ── PhotoStorage ───── S3
                                       ├─ PhotoSource ── PhotoDownloader ── public addresses only
                                       ├─ Cache ─────────────────────────── Redis, if set
                                       ├─ DecoderPool ───────────────────── processes: cleaning, colour
                                       └─ FallbackChain ─┬─ CachedClassifier ── HostedClassifier ── OpenAI's API
                                                         │                           └─ taxonomy ── Rules
                                                         └─ CachedClassifier ── Offline ── ONNX file, head

The offline model is loaded before the port is opened. Behind a hosted model it is only loaded in a test process then:
Vision doesn't start without a model that works.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from eco2.vision.v1.vision_service_pb2_grpc import add_VisionServiceServicer_to_server
from mesh.addresses import open_public_client
from mesh.grpc.host import Host
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.observability.instruments import Instruments
from mesh.observability.stores import Lookups, tell_breaker
from mesh.redis import GuardedRedis, open_redis
from mesh.s3.bucket import open_bucket
from vision_svc.classifiers import lazy_offline
from vision_svc.classifiers.cache import Cache, CachedClassifier, open_cache
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import Classifier, FallbackChain
from vision_svc.classify import KnownFile, PhotoClassifier, PhotoSource
from vision_svc.clients import open_taxonomy
from vision_svc.metrics import ClassifierMeters
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.decoder_pool import DecoderPool, open_decoder_pool
from vision_svc.photos.discarded import open_discarded
from vision_svc.photos.download import PhotoDownloader
from vision_svc.photos.storage import PhotoStorage
from vision_svc.servicer import VisionServicer
from vision_svc.settings import OFFLINE, VisionSettings

NAME = "eco2.vision.v1.VisionService"


@asynccontextmanager
async def application(settings: VisionSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """The running service.

    Raises:
        ModelUnusable: The offline model hasn't been built, or can't be loaded.
    """
    with (
        telemetry.started("vision", settings, host.instruments if host else None) as signals,
        ThreadPoolExecutor(settings.vision_threads, "vision-cpu") as cpu,
    ):
        instruments = signals.instruments
        async with (
            _open_redis(settings, instruments) as redis,
            open_public_client("image_url") as client,
            _open_decoders(settings, instruments) as decoders,
            open_chain(settings, cpu, redis, instruments, host) as chain,
            open_cache(redis, "vision:file:", KnownFile, Lookups(instruments, "file")) as known_files,
            open_discarded(bucket := open_bucket(settings)) as discarded,
        ):
            storage = PhotoStorage(bucket, discarded.add)
            web = PhotoDownloader(client, settings.vision_fetch_seconds, settings.vision_fetch_rate)
            classifier = PhotoClassifier(
                PhotoSource(storage, Bulkhead(settings.vision_slots, settings.vision_queue)),
                PhotoSource(web, Bulkhead(settings.vision_outside_slots, settings.vision_queue)),
                decoders.clean,
                chain,
                known_files,
            )
            service = Service(
                NAME, add_VisionServiceServicer_to_server, VisionServicer(classifier, settings.cdn_base_url)
            )
            dependencies = {"s3": storage.probe, "decoder": decoders.demand_working}
            async with serving(settings, [service], telemetry=signals, dependencies=dependencies, host=host) as server:
                yield server


@asynccontextmanager
async def _open_redis(settings: VisionSettings, instruments: Instruments) -> AsyncIterator[GuardedRedis | None]:
    """Redis, if these settings name one."""
    if not settings.redis_url:
        yield None
        return
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        tell_breaker(instruments, "vision", "redis", lambda: not redis.breaker.closed)
        yield redis


def _open_decoders(settings: VisionSettings, instruments: Instruments) -> AbstractAsyncContextManager[DecoderPool]:
    return open_decoder_pool(settings.vision_threads, settings.vision_decode_seconds, instruments=instruments)


@asynccontextmanager
async def open_chain(
    settings: VisionSettings,
    cpu: Executor,
    redis: GuardedRedis | None,
    instruments: Instruments,
    host: Host | None = None,
) -> AsyncIterator[FallbackChain]:
    """The classifiers in the order they are asked."""
    hosted = [name for name in settings.chain if name != OFFLINE]
    classifiers: dict[str, CachedClassifier] = {}
    async with AsyncExitStack() as stack:
        lookups = Lookups(instruments, "classification")
        opinions = await stack.enter_async_context(open_cache(redis, "vision:opinion:", Classification, lookups))
        if hosted:
            # Not at the top: without a hosted model the SDK would take 40 MiB for nothing.
            from mesh.models.factory import open_models
            from vision_svc.classifiers.hosted import HostedClassifier
            from vision_svc.classifiers.single_flight import SingleFlight

            taxonomy = await stack.enter_async_context(open_taxonomy(settings.rules_target, settings.tls, host))
            for model in await stack.enter_async_context(open_models(settings, hosted, instruments, "vision")):
                looking = HostedClassifier(model, taxonomy.current, settings.vision_detail)
                classifiers[model.name] = CachedClassifier(SingleFlight(looking), opinions)
        if OFFLINE in settings.chain:
            offline = await _open_offline(settings, cpu, first=not hosted)
            classifiers[OFFLINE] = CachedClassifier(offline, Cache(None, "", Classification, lookups))
        yield FallbackChain([classifiers[name] for name in settings.chain], ClassifierMeters(instruments))


async def _open_offline(settings: VisionSettings, cpu: Executor, *, first: bool) -> Classifier:
    """The offline model: loaded now if it is asked first, else tested now and loaded when the others fail."""
    loop = asyncio.get_running_loop()
    load = partial(lazy_offline.load, settings.vision_model, cpu, settings.vision_threads)
    if first:
        return await loop.run_in_executor(cpu, load)
    await loop.run_in_executor(cpu, lazy_offline.demand_usable, settings.vision_model)
    return lazy_offline.LazyOffline(load, cpu)
