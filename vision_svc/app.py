"""Composition root of the Vision service.

    VisionServicer ── Examiner ─┬─ Lane ── PhotoStorage ── S3
                                ├─ Lane ── PhotoWeb ────── public addresses only
                                ├─ Decoders ────────────── processes: cleaning, colours
                                └─ OfflineClassifier ───── ONNX file, head

The model is loaded before the port is opened: a Vision that can't see is never healthy.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from eco2.vision.v1.vision_service_pb2_grpc import add_VisionServiceServicer_to_server
from mesh import telemetry
from mesh.addresses import open_public_client
from mesh.server import Server, Service, serving
from vision_svc.admission import Admission
from vision_svc.classification import Classification
from vision_svc.decoding import open_decoders
from vision_svc.examination import Examiner, Lane
from vision_svc.photos import Photo
from vision_svc.pixels import pixels
from vision_svc.providers.offline import OfflineClassifier
from vision_svc.servicer import VisionServicer
from vision_svc.settings import VisionSettings
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
        ):
            loop = asyncio.get_running_loop()
            model = await loop.run_in_executor(cpu, OfflineClassifier.load, settings.vision_model)

            async def classify(photo: Photo) -> Classification:
                return await loop.run_in_executor(cpu, lambda: model.classify(pixels(photo)))

            web = PhotoWeb(client, settings.vision_fetch_seconds)
            examiner = Examiner(
                Lane(storage, Admission(settings.vision_places, settings.vision_queue)),
                Lane(web, Admission(settings.vision_outside_places, settings.vision_queue)),
                decoders.clean,
                classify,
            )
            service = Service(
                NAME, add_VisionServiceServicer_to_server, VisionServicer(examiner, settings.cdn_base_url)
            )
            async with serving(settings, [service], telemetry=signals, dependencies={"s3": storage.probe}) as server:
                yield server
