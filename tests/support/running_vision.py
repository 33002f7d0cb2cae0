"""Vision's servicer in a real server, with the photos, the web and the model that a test hands over."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc
import httpx2

from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceStub, add_VisionServiceServicer_to_server
from mesh.grpc.server import Service, serving
from mesh.observability import telemetry
from mesh.settings import ServiceSettings
from tests.support.sample_storage import SampleStorage
from vision_svc.app import NAME
from vision_svc.classifiers.cache import Cache, CachedClassifier
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import Classifier, FallbackChain
from vision_svc.classify import KnownFile, PhotoClassifier, PhotoSource, StoredPhotos
from vision_svc.clips.clip_decoder import ClipDecoder
from vision_svc.clips.frames import ClipFrames
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.decoder_pool import DecoderPool
from vision_svc.photos.download import PhotoDownloader
from vision_svc.photos.storage import PhotoStorage
from vision_svc.reclassify import Reclassifier
from vision_svc.servicer import VisionServicer
from vision_svc.thumbnails import Thumbnails

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceAsyncStub


@asynccontextmanager
async def running_vision(
    photos: Mapping[str, bytes],
    web: httpx2.AsyncClient,
    decoders: DecoderPool,
    model: Classifier,
    *,
    inside: Bulkhead,
    outside: Bulkhead,
    seconds: float,
) -> AsyncIterator["VisionServiceAsyncStub"]:
    """A client of a service that remembers nothing.

    Args:
        photos: What is in storage, by key.
        web: Fetches photos from addresses.
        decoders: Clean them.
        model: Classifies them.
        inside: Room for photos from storage.
        outside: Room for photos from addresses.
        seconds: How long a photo from an address may take.
    """
    bucket = SampleStorage(photos)
    storage = PhotoStorage(bucket, list[str]().append)
    stored: PhotoSource[StoredPhotos] = PhotoSource(storage, inside)
    classifier = PhotoClassifier(
        stored,
        PhotoSource(PhotoDownloader(web, seconds), outside),
        decoders.clean,
        FallbackChain([CachedClassifier(model, Cache(None, "", Classification))]),
        Cache(None, "", KnownFile),
    )
    clips = ClipFrames(bucket, storage, ClipDecoder(1, 60), Bulkhead(1, 1))
    thumbnails = Thumbnails(stored, decoders.thumbnail)
    reclassifier = Reclassifier(storage, {}, inside)
    servicer = VisionServicer(classifier, reclassifier, thumbnails, clips, "https://cdn.example.com/photos")
    service = Service(NAME, add_VisionServiceServicer_to_server, servicer)
    settings = ServiceSettings(drain_seconds=0, grace_seconds=0)
    with telemetry.started("vision", settings) as instruments:
        async with (
            serving(settings, [service], telemetry=instruments) as server,
            grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
        ):
            yield VisionServiceStub(channel)
