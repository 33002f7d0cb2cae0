"""A clip as a client job: what is asked for, how far it is, and what its frames show together. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

import msgspec

from mesh.locale import Locale
from scan_svc.client_jobs.client_jobs import Texts
from scan_svc.mirrors.places import LatLng
from scan_svc.mirrors.vision import Candidate, Classification, DetectedObject, Usage, VideoFrame
from scan_svc.scans import Failure

LOOK, FRAME, SCAN = "look", "frame", "scan"
STEPS: Mapping[str, Texts] = MappingProxyType(
    {
        LOOK: {Locale.KO: "동영상을 살펴보고 있어요", Locale.EN: "Looking through the clip"},
        FRAME: {
            Locale.KO: "장면 {total}개 중 {done}개를 확인했어요",
            Locale.EN: "Looked at {done} of {total} frames",
        },
        SCAN: {Locale.KO: "결과를 정리하고 있어요", Locale.EN: "Putting it together"},
    }
)
_MOST_OBJECTS = 20
_MOST_OTHERS = 5


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """Mirror of `eco2.jobs.v1.VideoSpec`."""

    user_input: str = ""
    location: LatLng | None = None
    region: str = ""


@dataclass(frozen=True, slots=True)
class VideoResult:
    """Mirror of `eco2.jobs.v1.VideoResult`."""

    scan_id: str = ""
    frames: tuple[VideoFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame whose clean copy is stored.

    Attributes:
        object_key: Where.
        time: How long after the clip's beginning it is shown.
    """

    object_key: str
    time: timedelta


class Look(msgspec.Struct, frozen=True):
    """What a frame shows, or why nobody could tell.

    Attributes:
        found: What it shows; None if it shows nothing that can be told.
        failure: Why not.
        usage: What the look cost.
    """

    found: Classification | None = None
    failure: Failure | None = None
    usage: Usage | None = None


class Progress(msgspec.Struct, frozen=True):
    """How far a clip is: what its checkpoints keep.

    Attributes:
        frames: Those that were taken out.
        looks: At the first of them, as many as are paid for.
    """

    frames: tuple[StoredFrame, ...]
    looks: tuple[Look, ...] = ()

    @property
    def usage(self) -> Usage | None:
        """What all looks have cost."""
        total: Usage | None = None
        for look in self.looks:
            total = Usage.sum(total, look.usage)
        return total


def scan_id_of(job_id: str) -> str:
    """The id of the scan that a job makes: the same whoever asks, and beside the job's in time."""
    return str(UUID(int=UUID(job_id).int ^ 1))


@dataclass(frozen=True, slots=True)
class _Kind:
    """Things of one category, in the frame that shows most of them, and those surest.

    Attributes:
        frame: That frame.
        things: They.
        frames: In how many frames there are any.
    """

    frame: VideoFrame
    things: tuple[DetectedObject, ...]
    frames: int

    @property
    def rank(self) -> tuple[bool, int, float]:
        """The greater, the more prominent: what is filmed longest is what is asked about."""
        return self.things[0].category.recognised, self.frames, _surest(self.things)


def combined(looks: Sequence[tuple[VideoFrame, Classification]]) -> tuple[Classification, VideoFrame]:
    """What a clip shows, and the frame that shows its most prominent thing.

    A thing that is in several frames counts once. What nobody recognised is left out if anything else was.

    Args:
        looks: The frames that show something, each with what that is; at least one.
    """
    kinds = sorted(_kinds(looks), key=lambda kind: kind.rank, reverse=True)
    known = [kind for kind in kinds if kind.things[0].category.recognised] or kinds
    things = [replace(thing, frame=kind.frame) for kind in known for thing in kind.things][:_MOST_OBJECTS]
    objects = tuple(replace(thing, object_id=str(number)) for number, thing in enumerate(things, 1))
    others = tuple(
        Candidate(kind.things[0].category, kind.things[0].display_name, kind.things[0].confidence) for kind in known[1:]
    )
    frame = known[0].frame
    found = _about(objects[0], next(found for shown, found in looks if shown == frame))
    return replace(found, objects=objects, others=others[:_MOST_OTHERS]), frame


def _kinds(looks: Sequence[tuple[VideoFrame, Classification]]) -> Iterator[_Kind]:
    by_path = defaultdict[str, list[tuple[VideoFrame, tuple[DetectedObject, ...]]]](list)
    for frame, found in looks:
        things = _things(found)
        for path in dict.fromkeys(one.category.path for one in things):
            by_path[path].append((frame, tuple(one for one in things if one.category.path == path)))
    for shown in by_path.values():
        frame, best = max(shown, key=lambda one: (len(one[1]), _surest(one[1])))
        yield _Kind(frame, best, len(shown))


def _things(found: Classification) -> Sequence[DetectedObject]:
    """All things in one frame; what shows one thing only says it in its own fields."""
    if found.objects:
        return found.objects
    one = DetectedObject("1", found.category, found.display_name, found.confidence, found.tags)
    return [replace(one, material=found.material, form=found.form, mixed=found.mixed)]


def _about(thing: DetectedObject, found: Classification) -> Classification:
    """What a frame shows, said of this thing in it."""
    if found.category == thing.category:
        return found
    return replace(
        found, category=thing.category, display_name=thing.display_name, tags=thing.tags, material=thing.material,
        form=thing.form, mixed=thing.mixed, confidence=thing.confidence, candidates=(), warning="",
    )  # fmt: skip


def _surest(things: Sequence[DetectedObject]) -> float:
    return max(one.confidence or 0.0 for one in things)
