"""VisionService: streams what a photo shows, or which frames of a clip are worth a look."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from eco2.vision.v1 import vision_service_pb2, vision_service_pb2_grpc
from mesh.grpc.identity import caller
from mesh.models.usage import terms
from vision_svc import wire
from vision_svc.classify import ClassifiedPhoto, PhotoClassifier
from vision_svc.clips.clips import Seen
from vision_svc.clips.frames import ClipFrames
from vision_svc.photos.locations import stored
from vision_svc.progress import lasting
from vision_svc.reclassify import Reclassifier
from vision_svc.thumbnails import Thumbnails

# A phase that ends sooner isn't told.
_LASTING_SECONDS = 0.1


class VisionServicer(vision_service_pb2_grpc.VisionServiceServicer):
    """Answers `eco2.vision.v1.VisionService`.

    Args:
        classifier: Classifies photos.
        reclassifier: Looks at them once more, for comparisons.
        thumbnails: Makes small pictures of them.
        clips: Takes frames out of clips.
        cdn_base_url: Public address of our own photos.
    """

    def __init__(
        self,
        classifier: PhotoClassifier,
        reclassifier: Reclassifier,
        thumbnails: Thumbnails,
        clips: ClipFrames,
        cdn_base_url: str,
    ) -> None:
        self._classifier = classifier
        self._reclassifier = reclassifier
        self._thumbnails = thumbnails
        self._clips = clips
        self._cdn_base_url = cdn_base_url

    async def Classify(
        self, request: vision_service_pb2.ClassifyRequest, context: Any
    ) -> AsyncIterator[vision_service_pb2.ClassifyResponse]:
        """Streams each phase that lasts, then the result."""
        location = wire.to_location(request, self._cdn_base_url)
        locale = caller(context).locale_or(request.locale)
        phases = self._classifier.classify(location, terms(context, batch=request.batch))
        async with aclosing(lasting(phases, _LASTING_SECONDS)) as events:
            async for event in events:
                if isinstance(event, ClassifiedPhoto):
                    context.last()
                yield wire.from_event(event, locale)

    async def Reclassify(
        self, request: vision_service_pb2.ReclassifyRequest, context: Any
    ) -> vision_service_pb2.ReclassifyResponse:
        """Asks one classifier of a photo whose clean copy is kept."""
        location = wire.to_location(request, self._cdn_base_url)
        locale = caller(context).locale_or(request.locale)
        found = await self._reclassifier.reclassify(location, request.classifier, terms(context))
        return wire.from_reclassified(found, locale)

    async def ListClassifiers(
        self, request: vision_service_pb2.ListClassifiersRequest, context: Any
    ) -> vision_service_pb2.ListClassifiersResponse:
        """Names the classifiers that can be asked."""
        return vision_service_pb2.ListClassifiersResponse(classifiers=self._reclassifier.names)

    async def MakeThumbnail(
        self, request: vision_service_pb2.MakeThumbnailRequest, context: Any
    ) -> vision_service_pb2.MakeThumbnailResponse:
        """A small picture of a stored photo."""
        photo, account = stored(request.object_key), terms(context).account
        return vision_service_pb2.MakeThumbnailResponse(
            jpeg=await self._thumbnails.make(photo.key, request.side, account)
        )

    async def ExtractFrames(
        self, request: vision_service_pb2.ExtractFramesRequest, context: Any
    ) -> AsyncIterator[vision_service_pb2.ExtractFramesResponse]:
        """Streams how far a clip was looked through, then its frames."""
        clip, account = stored(request.object_key, request.etag), terms(context).account
        async with aclosing(self._clips.extract(clip, request.scan_id, request.most, account)) as events:
            async for event in events:
                if not isinstance(event, Seen):
                    context.last()
                yield wire.from_clip_event(event)
