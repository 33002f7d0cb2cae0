"""The servicer in a real server, on photos that a fake source hands over."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

import grpc
import pytest
from PIL import Image

from eco2.vision.v1.vision_service_pb2 import (
    ClassifyProgress,
    ClassifyRequest,
    ClassifyResponse,
    ExtractFramesRequest,
    Frame,
)
from mesh.addresses import open_public_client
from mesh.grpc.status import from_rpc_error
from tests.support.running_vision import running_vision
from tests.support.sample_clips import film, panning
from tests.support.sample_photos import note
from vision_svc.classifiers.offline import Offline, OfflineClassifier
from vision_svc.model import MODEL
from vision_svc.model.convert import convert
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.decoder_pool import open_decoder_pool

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceAsyncStub

_SCAN = "0197b0f0-0000-7000-8000-000000000002"
_CLIP = "uploads/0197b0f0-0000-7000-8000-000000000003.mp4"
_CLEAN = "photos/0197b0f0-0000-7000-8000-000000000001.jpg"


def _gif() -> bytes:
    file = BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.fixture(scope="module")
def model() -> OfflineClassifier:
    """The offline model: it takes 0.2 s to load, and keeps nothing of what it sees."""
    convert(MODEL)
    return OfflineClassifier.load(MODEL)


@pytest.fixture
async def vision(model: OfflineClassifier) -> AsyncIterator["VisionServiceAsyncStub"]:
    """A client of a running service."""
    photos = {
        "note": note(),
        _CLEAN: note(),
        "empty": b"",
        "words": b"not a photo",
        "gif": _gif(),
        "cut": note()[:9000],
        _CLIP: film(panning(3)),
        "uploads/words.mp4": b"not a clip",
    }
    with ThreadPoolExecutor(1) as cpu:
        async with (
            open_public_client("image_url") as client,
            open_decoder_pool(1, 10) as decoders,
            running_vision(
                photos,
                client,
                decoders,
                Offline(model, cpu, 1),
                inside=Bulkhead(1, 1),
                outside=Bulkhead(1, 1),
                seconds=1.0,
            ) as stub,
        ):
            yield stub


async def _responses(vision: "VisionServiceAsyncStub", request: ClassifyRequest) -> list[ClassifyResponse]:
    return [response async for response in vision.Classify(request, timeout=10)]


async def _error(vision: "VisionServiceAsyncStub", request: ClassifyRequest) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _responses(vision, request)
    return caught.value.code(), from_rpc_error(caught.value, "vision").reason


@pytest.mark.parametrize(
    "request_",
    [ClassifyRequest(object_key="note"), ClassifyRequest(image_url=f"https://cdn.example.com/photos/{_CLEAN}")],
    ids=["object_key", "image_url"],
)
async def test_progress_then_exactly_one_result(vision: "VisionServiceAsyncStub", request_: ClassifyRequest) -> None:
    """By key, or by the CDN address that stands for it. Which phases last, and are told, is the machine's affair."""
    *progress, last = await _responses(vision, request_)
    told = [response.progress.phase for response in progress]
    assert told == sorted(set(told) & set(ClassifyProgress.Phase.values()[1:]))
    found = last.result.classification
    assert (found.category.major, found.category.middle) == ("재활용폐기물", "종이")
    assert (last.result.width, last.result.height) == (720, 960)
    assert len(last.result.image_digest) == 64


@pytest.mark.parametrize(("locale", "name"), [("", "종이"), ("ko-KR", "종이"), ("en", "Paper")])
async def test_names_speak_the_requests_language(vision: "VisionServiceAsyncStub", locale: str, name: str) -> None:
    """Korean unless asked otherwise."""
    *_, last = await _responses(vision, ClassifyRequest(object_key="note", locale=locale))
    assert last.result.classification.display_name == name


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        (ClassifyRequest(object_key="empty"), grpc.StatusCode.INVALID_ARGUMENT, "PHOTO_EMPTY"),
        (ClassifyRequest(object_key="words"), grpc.StatusCode.INVALID_ARGUMENT, "PHOTO_UNREADABLE"),
        (ClassifyRequest(object_key="cut"), grpc.StatusCode.INVALID_ARGUMENT, "PHOTO_TRUNCATED"),
        (ClassifyRequest(object_key="gif"), grpc.StatusCode.INVALID_ARGUMENT, "PHOTO_FORMAT"),
        (ClassifyRequest(object_key="none"), grpc.StatusCode.NOT_FOUND, "PHOTO_NOT_FOUND"),
        (ClassifyRequest(object_key="note", etag='"other"'), grpc.StatusCode.NOT_FOUND, "PHOTO_NOT_FOUND"),
        (
            ClassifyRequest(image_url="https://cdn.example.com/photos/note"),
            grpc.StatusCode.NOT_FOUND,
            "PHOTO_NOT_FOUND",
        ),
        (ClassifyRequest(object_key="../note"), grpc.StatusCode.NOT_FOUND, "PHOTO_NOT_FOUND"),
        (ClassifyRequest(image_url="https://127.0.0.1/a"), grpc.StatusCode.INVALID_ARGUMENT, "ADDRESS_REFUSED"),
        (ClassifyRequest(image_url="http://example.com/a"), grpc.StatusCode.INVALID_ARGUMENT, "ADDRESS_REFUSED"),
        (ClassifyRequest(), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
    ],
    ids=lambda value: str(value).strip() or "nothing",
)
async def test_each_failure_has_its_reason(
    vision: "VisionServiceAsyncStub", request_: ClassifyRequest, code: grpc.StatusCode, reason: str
) -> None:
    """The stream ends with it, and the next call is served."""
    assert await _error(vision, request_) == (code, reason)
    assert (await _responses(vision, ClassifyRequest(object_key="note")))[-1].HasField("result")


async def _frames(vision: "VisionServiceAsyncStub", request: ExtractFramesRequest) -> list[Frame]:
    *_, last = [response async for response in vision.ExtractFrames(request, timeout=120)]
    return list(last.result.frames)


async def test_a_clips_frames_are_photos_that_can_be_classified(vision: "VisionServiceAsyncStub") -> None:
    """By the key that each is told to have; asked again, they are the same."""
    request = ExtractFramesRequest(object_key=_CLIP, scan_id=_SCAN, most=5)
    frames = await _frames(vision, request)
    assert [frame.object_key for frame in frames] == [f"photos/{_SCAN}{part}.jpg" for part in ("", "-1", "-2")]
    assert [frame.time_offset.ToMilliseconds() for frame in frames] == [400, 1400, 2400]
    *_, last = await _responses(vision, ClassifyRequest(object_key=frames[2].object_key))
    assert (last.result.image_digest, last.result.width) == (frames[2].image_digest, 320)
    assert last.result.classification.category.middle == "종이"
    assert await _frames(vision, request) == frames


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        (
            ExtractFramesRequest(object_key="uploads/words.mp4", scan_id=_SCAN, most=1),
            grpc.StatusCode.INVALID_ARGUMENT,
            "VIDEO_UNREADABLE",
        ),
        (
            ExtractFramesRequest(object_key="uploads/none.mp4", scan_id=_SCAN, most=1),
            grpc.StatusCode.NOT_FOUND,
            "VIDEO_NOT_FOUND",
        ),
        (
            ExtractFramesRequest(object_key=_CLIP, etag='"other"', scan_id=_SCAN, most=1),
            grpc.StatusCode.NOT_FOUND,
            "VIDEO_NOT_FOUND",
        ),
        (
            ExtractFramesRequest(object_key=_CLIP, scan_id=_SCAN, most=11),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
        ),
        (
            ExtractFramesRequest(object_key=_CLIP, scan_id="../x", most=1),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
        ),
    ],
    ids=["words", "gone", "replaced", "too many", "no scan"],
)
async def test_a_clip_that_gives_no_frames_says_why(
    vision: "VisionServiceAsyncStub", request_: ExtractFramesRequest, code: grpc.StatusCode, reason: str
) -> None:
    """Once, as the end of the stream."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _frames(vision, request_)
    assert (caught.value.code(), from_rpc_error(caught.value, "vision").reason) == (code, reason)
