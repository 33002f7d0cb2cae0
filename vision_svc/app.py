"""Composition root of the Vision service.

    VisionServicer ── PhotoClassifier ─┬─ PhotoSource ── PhotoStorage ───── S3
                                       ├─ PhotoSource ── PhotoDownloader ── public addresses only
                                       ├─ Cache ─────────────────────────── Redis, if set
                                       ├─ DecoderPool ───────────────────── processes: cleaning, colour
                                       └─ FallbackChain ─┬─ CachedClassifier ── HostedClassifier ── OpenAI's API
                                                         │                           └─ taxonomy ── Rules
                                                         └─ CachedClassifier ── Offline ── ONNX file, head
                 └─ Reclassifier ─── PhotoStorage; each classifier of the chain, and more, by its name
                 └─ ClipFrames ──────┬─ Bucket, PhotoStorage ─────────── S3
                                     └─ ClipDecoder ──────────────────── a process for each clip

The offline model is loaded before the port is opened. Behind a hosted model it is only loaded in a test process then:
Vision doesn't start without a model that works.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
from vision_svc.classifiers.taxonomy import Taxonomy
from vision_svc.classify import KnownFile, PhotoClassifier, PhotoSource, StoredPhotos
from vision_svc.clients import open_taxonomy
from vision_svc.clips.clip_decoder import ClipDecoder
from vision_svc.clips.frames import ClipFrames
from vision_svc.metrics import ClassifierMeters
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.decoder_pool import DecoderPool, open_decoder_pool
from vision_svc.photos.discarded import open_discarded
from vision_svc.photos.download import PhotoDownloader
from vision_svc.photos.storage import PhotoStorage
from vision_svc.reclassify import Reclassifier
from vision_svc.servicer import VisionServicer
from vision_svc.settings import OFFLINE, VisionSettings
from vision_svc.thumbnails import Thumbnails

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
            open_classifiers(settings, cpu, redis, instruments, host) as (chain, compared),
            open_cache(redis, "vision:file:", KnownFile, Lookups(instruments, "file")) as known_files,
            open_discarded(bucket := open_bucket(settings)) as discarded,
        ):
            storage = PhotoStorage(bucket, discarded.add)
            web = PhotoDownloader(client, settings.vision_fetch_seconds, settings.vision_fetch_rate)
            stored: PhotoSource[StoredPhotos] = PhotoSource(
                storage, Bulkhead(settings.vision_slots, settings.vision_queue)
            )
            classifier = PhotoClassifier(
                stored,
                PhotoSource(web, Bulkhead(settings.vision_outside_slots, settings.vision_queue)),
                decoders.clean,
                chain,
                known_files,
            )
            clips = ClipFrames(
                bucket,
                storage,
                ClipDecoder(settings.vision_clips, settings.vision_clip_seconds),
                Bulkhead(settings.vision_clips, settings.vision_clip_queue),
            )
            places = Bulkhead(settings.vision_comparison_slots, settings.vision_queue)
            servicer = VisionServicer(
                classifier,
                Reclassifier(storage, compared, places),
                Thumbnails(stored, decoders.thumbnail),
                clips,
                settings.cdn_base_url,
            )
            service = Service(NAME, add_VisionServiceServicer_to_server, servicer)
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
async def open_classifiers(
    settings: VisionSettings,
    cpu: Executor,
    redis: GuardedRedis | None,
    instruments: Instruments,
    host: Host | None = None,
) -> AsyncIterator[tuple[FallbackChain, Mapping[str, FallbackChain]]]:
    """The chain in the order it is asked, and whom comparisons can ask, by name: each a chain of one."""
    async with AsyncExitStack() as stack:
        lookups = Lookups(instruments, "classification")
        opened, compared = dict[str, CachedClassifier](), dict[str, CachedClassifier]()
        if any(name != OFFLINE for name in settings.compared):
            taxonomy = await stack.enter_async_context(open_taxonomy(settings.rules_target, settings.tls, host))
            enter = partial(_open_hosted, settings, taxonomy.current, redis, instruments)
            opened |= await stack.enter_async_context(enter(settings.chain, lookups))
            compared |= await stack.enter_async_context(enter(settings.compared, None))
        if OFFLINE in settings.compared:
            offline = await _open_offline(settings, cpu, first=settings.chain == (OFFLINE,))
            opened[OFFLINE] = CachedClassifier(offline, Cache(None, "", Classification, lookups))
            compared[OFFLINE] = CachedClassifier(offline, Cache(None, "", Classification))
        chain = FallbackChain([opened[name] for name in settings.chain], ClassifierMeters(instruments))
        yield chain, {name: FallbackChain([compared[name]]) for name in settings.compared}


@asynccontextmanager
async def _open_hosted(
    settings: VisionSettings,
    taxonomy: Callable[[], Taxonomy | None],
    redis: GuardedRedis | None,
    instruments: Instruments,
    names: Sequence[str],
    lookups: Lookups | None,
) -> AsyncIterator[dict[str, CachedClassifier]]:
    """The hosted models among these names: for users with lookups that are counted, else for comparisons."""
    # Not at the top: without a hosted model the SDK would take 40 MiB for nothing.
    from mesh.models.factory import open_models
    from mesh.models.ledger import Purse
    from vision_svc.classifiers.hosted import HostedClassifier
    from vision_svc.classifiers.single_flight import SingleFlight

    hosted = [name for name in names if name != OFFLINE]
    used = ("vision",) if lookups else ("", Purse.COMPARISONS, settings.comparison_limits())
    async with (
        open_cache(redis, "vision:opinion:", Classification, lookups) as opinions,
        open_models(settings, hosted, instruments, *used) as models,
    ):
        looking = (HostedClassifier(model, taxonomy, settings.vision_detail) for model in models)
        yield {one.name: CachedClassifier(SingleFlight(one), opinions) for one in looking}


async def _open_offline(settings: VisionSettings, cpu: Executor, *, first: bool) -> Classifier:
    """The offline model: loaded now if it is asked first, else tested now and loaded when the others fail."""
    loop = asyncio.get_running_loop()
    load = partial(lazy_offline.load, settings.vision_model, cpu, settings.vision_threads)
    if first:
        return await loop.run_in_executor(cpu, load)
    await loop.run_in_executor(cpu, lazy_offline.demand_usable, settings.vision_model)
    return lazy_offline.LazyOffline(load, cpu)
