"""Vision, served: its own parts but for the model, which knows one thing and is paid for each look."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from eco2.vision.v1 import vision_service_pb2_grpc
from mesh.grpc.server import Service, serving
from mesh.locale import Locale
from mesh.models.usage import Terms, Usage
from mesh.observability import telemetry
from mesh.s3.bucket import open_bucket
from mesh.s3.settings import StorageSettings
from mesh.settings import ServiceSettings
from tests.support.storage import Storage
from vision_svc.classifiers.cache import Cache, CachedClassifier
from vision_svc.classifiers.classification import Category, Classification, WasteKind
from vision_svc.classifiers.fallback_chain import FallbackChain
from vision_svc.classify import KnownFile, PhotoClassifier, PhotoSource
from vision_svc.clips.clip_decoder import ClipDecoder
from vision_svc.clips.frames import ClipFrames
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.decoder_pool import open_decoder_pool
from vision_svc.photos.discarded import open_discarded
from vision_svc.photos.photos import Photo
from vision_svc.photos.storage import PhotoStorage
from vision_svc.reclassify import Reclassifier
from vision_svc.servicer import VisionServicer
from vision_svc.thumbnails import Thumbnails

_METAL = WasteKind(Category("재활용폐기물", "금속류"), {Locale.KO: "금속류", Locale.EN: "Metal"})


class Eye:
    """A model that is paid for each look.

    Attributes:
        looks: How often it looked.
        before: Awaited first: raise to fail, wait to hold.
    """

    name = version = "eye"

    def __init__(self) -> None:
        self.looks = 0
        self.before: Callable[[], Awaitable[object]] | None = None

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        self.looks += 1
        terms.meter.add(Usage("eye", cost_micro_usd=5))
        if self.before:
            await self.before()
        return Classification(_METAL, 0.9, (), "eye", "eye")


@asynccontextmanager
async def vision_service(s3: Storage, eye: Eye, endpoint: str = "") -> AsyncIterator[str]:
    """Where it is served.

    Args:
        s3: The photos.
        eye: Looks at them.
        endpoint: Where storage is reached instead.
    """
    storage = StorageSettings(
        s3_endpoint=endpoint or s3.endpoint, s3_bucket=s3.bucket, s3_access_key=s3.access_key,
        s3_secret_key=s3.secret_key, cdn_base_url=s3.cdn_base_url, drain_seconds=0, grace_seconds=0,
    )  # fmt: skip
    bucket = open_bucket(storage)
    async with open_decoder_pool(1, 10.0) as decoders, open_discarded(bucket) as discarded:
        photos = PhotoStorage(bucket, discarded.add)
        lane = PhotoSource(photos, Bulkhead(4, 4))
        classifiers = FallbackChain([CachedClassifier(eye, Cache(None, "", Classification))])
        examiner = PhotoClassifier(lane, lane, decoders.clean, classifiers, Cache(None, "", KnownFile))
        reclassifier = Reclassifier(lane.source, {"eye": classifiers}, lane.bulkhead)
        service = Service(
            "eco2.vision.v1.VisionService",
            vision_service_pb2_grpc.add_VisionServiceServicer_to_server,
            VisionServicer(
                examiner,
                reclassifier,
                Thumbnails(lane, decoders.thumbnail),
                ClipFrames(bucket, photos, ClipDecoder(1, 60.0), Bulkhead(1, 4)),
                s3.cdn_base_url,
            ),
        )
        with telemetry.started("vision", ServiceSettings()) as shared:
            async with serving(storage, [service], telemetry=shared) as server:
                yield f"127.0.0.1:{server.port}"
