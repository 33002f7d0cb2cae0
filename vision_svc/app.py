"""Composition root of the Vision service.

    VisionServicer ── Examiner ─┬─ Lane ── PhotoStorage ── S3
                                ├─ Lane ── PhotoWeb ────── public addresses only
                                ├─ Decoders ────────────── processes: cleaning, colours
                                └─ Chain ─┬─ HostedClassifier ── OpenAI or a compatible server
                                          │        └─ taxonomy ─── Rules
                                          └─ Offline ─────────── ONNX file, head

The model is loaded before the port is opened: a Vision that can't see is never healthy.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from eco2.vision.v1.vision_service_pb2_grpc import add_VisionServiceServicer_to_server
from mesh import telemetry
from mesh.addresses import open_public_client
from mesh.models.opening import open_models
from mesh.server import Server, Service, serving
from vision_svc.admission import Admission
from vision_svc.chain import Chain, Classifier
from vision_svc.decoding import open_decoders
from vision_svc.examination import Examiner, Lane
from vision_svc.flights import SingleFlight
from vision_svc.peers import open_taxonomy
from vision_svc.providers.hosted import HostedClassifier
from vision_svc.providers.offline import Offline, OfflineClassifier
from vision_svc.servicer import VisionServicer
from vision_svc.settings import OFFLINE, VisionSettings
from vision_svc.storage import open_storage
from vision_svc.web import PhotoWeb

NAME = "eco2.vision.v1.VisionService"


@asynccontextmanager
async def application(settings: VisionSettings) -> AsyncIterator[Server]:
    """The running service.

    Raises:
        ModelMissing: The model hasn't been built.
    """
    with (
        telemetry.started("vision", settings) as signals,
        ThreadPoolExecutor(settings.vision_threads, "vision-cpu") as cpu,
    ):
        async with (
            open_storage(settings) as storage,
            open_public_client("image_url") as client,
            open_decoders(settings.vision_threads, settings.vision_decode_seconds) as decoders,
            _open_chain(settings, cpu) as chain,
        ):
            web = PhotoWeb(client, settings.vision_fetch_seconds)
            examiner = Examiner(
                Lane(storage, Admission(settings.vision_places, settings.vision_queue)),
                Lane(web, Admission(settings.vision_outside_places, settings.vision_queue)),
                decoders.clean,
                chain.classify,
            )
            service = Service(
                NAME, add_VisionServiceServicer_to_server, VisionServicer(examiner, settings.cdn_base_url)
            )
            async with serving(settings, [service], telemetry=signals, dependencies={"s3": storage.probe}) as server:
                yield server


@asynccontextmanager
async def _open_chain(settings: VisionSettings, cpu: Executor) -> AsyncIterator[Chain]:
    """The classifiers in the order they are asked."""
    hosted = [name for name in settings.chain if name != OFFLINE]
    classifiers: dict[str, Classifier] = {}
    async with AsyncExitStack() as stack:
        if hosted:
            taxonomy = await stack.enter_async_context(open_taxonomy(settings.rules_target))
            for model in await stack.enter_async_context(open_models(settings, hosted)):
                looking = HostedClassifier(model, taxonomy.current, settings.vision_detail)
                classifiers[model.name] = SingleFlight(looking)
        if OFFLINE in settings.chain:
            load = asyncio.get_running_loop().run_in_executor(cpu, OfflineClassifier.load, settings.vision_model)
            classifiers[OFFLINE] = Offline(await load, cpu)
        yield Chain([classifiers[name] for name in settings.chain])
