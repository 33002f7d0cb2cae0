"""Protos of the Vision service to its domain and back."""

from collections.abc import Sequence

from google.protobuf import duration_pb2

from eco2.vision.v1 import classification_pb2, vision_service_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.locale import Locale
from vision_svc.classifiers.classification import Box, Candidate, Category, Classification, DetectedObject
from vision_svc.classify import ClassifiedPhoto, Phase
from vision_svc.clips.clips import Seen, StoredFrame
from vision_svc.photos.locations import Location, locate, stored
from vision_svc.reclassify import Reclassified

_PHASES = {
    Phase.FETCH: vision_service_pb2.ClassifyProgress.PHASE_FETCH,
    Phase.PREPARE: vision_service_pb2.ClassifyProgress.PHASE_PREPARE,
    Phase.CLASSIFY: vision_service_pb2.ClassifyProgress.PHASE_CLASSIFY,
}


def to_location(
    request: vision_service_pb2.ClassifyRequest | vision_service_pb2.ReclassifyRequest, cdn_base_url: str
) -> Location:
    """The location of a request's photo.

    Raises:
        NotFound: No object of ours can have this key.
    """
    if request.WhichOneof("image") == "object_key":
        return stored(request.object_key, getattr(request, "etag", ""))
    return locate(request.image_url, cdn_base_url)


def from_event(event: Phase | ClassifiedPhoto, locale: Locale) -> vision_service_pb2.ClassifyResponse:
    """One message of the stream."""
    if isinstance(event, Phase):
        progress = vision_service_pb2.ClassifyProgress(phase=_PHASES[event])
        return vision_service_pb2.ClassifyResponse(progress=progress)
    result = vision_service_pb2.ClassifyResult(
        classification=_from_classification(event.classification, locale),
        image_digest=event.photo.digest,
        width=event.photo.width,
        height=event.photo.height,
        usage=to_proto(event.usage, classification_pb2.Usage) if event.usage else None,
    )
    return vision_service_pb2.ClassifyResponse(result=result)


def from_reclassified(found: Reclassified, locale: Locale) -> vision_service_pb2.ReclassifyResponse:
    """What one classifier says."""
    return vision_service_pb2.ReclassifyResponse(
        classification=_from_classification(found.classification, locale),
        usage=to_proto(found.usage, classification_pb2.Usage) if found.usage else None,
        remembered=found.remembered,
    )


def from_clip_event(event: Seen | Sequence[StoredFrame]) -> vision_service_pb2.ExtractFramesResponse:
    """One message of a clip's stream."""
    if isinstance(event, Seen):
        progress = vision_service_pb2.ExtractFramesProgress(
            time_offset=_duration(event.second), duration=_duration(event.seconds)
        )
        return vision_service_pb2.ExtractFramesResponse(progress=progress)
    frames = [
        vision_service_pb2.Frame(
            object_key=frame.object_key,
            image_digest=frame.identity.digest,
            width=frame.identity.width,
            height=frame.identity.height,
            time_offset=_duration(frame.second),
        )
        for frame in event
    ]
    return vision_service_pb2.ExtractFramesResponse(result=vision_service_pb2.ExtractFramesResult(frames=frames))


def _duration(seconds: float) -> duration_pb2.Duration:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return duration_pb2.Duration(seconds=whole, nanos=milliseconds * 1_000_000)


def _from_classification(found: Classification, locale: Locale) -> classification_pb2.Classification:
    kind = found.kind
    return classification_pb2.Classification(
        category=_from_category(kind.category),
        display_name=kind.name[locale],
        tags=found.tags,
        material=found.material or kind.material,
        form=found.form or kind.form,
        mixed=found.mixed,
        confidence=found.confidence,
        candidates=[_from_candidate(candidate, locale) for candidate in found.candidates],
        warning=kind.warning[locale] if kind.warning else "",
        provider=found.provider,
        model=found.model,
        prompt_version=found.prompt_version,
        others=[_from_candidate(other, locale) for other in found.others],
        passed_over=[
            classification_pb2.ModelAttempt(model=attempt.model, reason=attempt.reason) for attempt in found.passed_over
        ],
        objects=[_from_object(str(number), one, locale) for number, one in enumerate(found.objects, start=1)],
    )


def _from_object(object_id: str, found: DetectedObject, locale: Locale) -> classification_pb2.DetectedObject:
    return classification_pb2.DetectedObject(
        object_id=object_id,
        category=_from_category(found.kind.category),
        display_name=found.kind.name[locale],
        confidence=found.confidence,
        tags=found.tags,
        material=found.material or found.kind.material,
        form=found.form or found.kind.form,
        mixed=found.mixed,
        box=_from_box(found.box) if found.box else None,
    )


def _from_box(box: Box) -> classification_pb2.BoundingBox:
    return classification_pb2.BoundingBox(left=box.left, top=box.top, right=box.right, bottom=box.bottom)


def _from_candidate(candidate: Candidate, locale: Locale) -> classification_pb2.Candidate:
    return classification_pb2.Candidate(
        category=_from_category(candidate.kind.category),
        display_name=candidate.kind.name[locale],
        confidence=candidate.confidence,
    )


def _from_category(category: Category) -> classification_pb2.Category:
    return classification_pb2.Category(major=category.major, middle=category.middle, minor=category.minor)
