"""Clips as a kind of client jobs."""

from collections.abc import Mapping
from types import MappingProxyType

from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.work import JobType, UploadRule
from scan_svc.videos.videos import STEPS, VideoResult, VideoSpec
from scan_svc.videos.work import VideoWork

_EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "video/x-matroska": "mkv"}
)
# What Vision takes: `vision_svc.clips.clips.MAX_BYTES`.
_MOST_BYTES = 100 << 20
# At once in a process; they wait for models most of the time.
_AT_ONCE = 8


def video_type(work: VideoWork) -> JobType:
    """The kind."""
    return JobType(
        kind=Kind.VIDEO,
        work=work,
        spec=VideoSpec,
        result=VideoResult,
        steps=STEPS,
        unit="frames",
        upload=UploadRule(_EXTENSIONS, _MOST_BYTES),
        capacity=_AT_ONCE,
    )
