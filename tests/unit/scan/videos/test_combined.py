"""What the frames of a clip show together."""

from datetime import timedelta

from scan_svc.mirrors.vision import UNRECOGNISED, Category, Classification, DetectedObject, VideoFrame
from scan_svc.videos.videos import combined, scan_id_of

CAN, BOTTLE, CARTON = (Category("재활용폐기물", middle) for middle in ("금속류", "무색페트병", "종이팩"))
NOTHING = Category(UNRECOGNISED)


def _frame(index: int) -> VideoFrame:
    return VideoFrame(index, timedelta(seconds=index), f"https://cdn.example.com/{index}.jpg")


def _one(category: Category, confidence: float = 0.9) -> Classification:
    return Classification(category, category.middle, ("내용물_있음",), "metal", confidence=confidence, photo_digest="d")


def _several(*categories: Category) -> Classification:
    things = [DetectedObject(str(number), one, one.middle, 0.8) for number, one in enumerate(categories, 1)]
    return Classification(categories[0], categories[0].middle, confidence=0.8, objects=tuple(things))


def _shown(*looks: Classification) -> tuple[Classification, VideoFrame]:
    return combined([(_frame(index), look) for index, look in enumerate(looks)])


def test_each_thing_is_an_object_with_its_frame() -> None:
    """One frame each: all three are told, the surest first."""
    found, frame = _shown(_one(CAN, 0.7), _one(BOTTLE, 0.9), _one(CARTON, 0.8))
    assert [(one.object_id, one.category, one.frame) for one in found.objects] == [
        ("1", BOTTLE, _frame(1)),
        ("2", CARTON, _frame(2)),
        ("3", CAN, _frame(0)),
    ]
    assert (found.category, frame) == (BOTTLE, _frame(1))
    assert [one.category for one in found.others] == [CARTON, CAN]


def test_a_thing_in_several_frames_counts_once() -> None:
    """In the frame that is surest; and what is filmed longest comes first."""
    found, frame = _shown(_one(CAN, 0.5), _one(BOTTLE, 0.95), _one(CAN, 0.8))
    assert [(one.category, one.frame) for one in found.objects] == [(CAN, _frame(2)), (BOTTLE, _frame(1))]
    assert (found.category, found.confidence, frame) == (CAN, 0.8, _frame(2))


def test_several_of_a_kind_in_one_frame_are_several() -> None:
    """The frame that shows most of them is theirs."""
    found, frame = _shown(_one(CAN), _several(CAN, CAN, BOTTLE))
    assert [one.category for one in found.objects] == [CAN, CAN, BOTTLE]
    assert [one.object_id for one in found.objects] == ["1", "2", "3"]
    assert frame == _frame(1)


def test_what_nobody_recognised_is_told_only_alone() -> None:
    """A frame of the floor is no thing."""
    found, _ = _shown(_one(NOTHING), _one(NOTHING), _one(CAN))
    assert [one.category for one in found.objects] == [CAN]
    found, _ = _shown(_one(NOTHING), _one(NOTHING))
    assert found.category == NOTHING


def test_the_clip_says_of_its_first_thing_what_the_frame_said_of_that() -> None:
    """And not what it said of another one."""
    found, _ = _shown(_several(BOTTLE, CAN), _several(CAN, BOTTLE), _one(CAN, 0.6))
    assert (found.category, found.display_name) == (CAN, "금속류")
    found, _ = _shown(_one(CAN))
    assert (found.tags, found.material, found.photo_digest) == (("내용물_있음",), "metal", "d")


def test_a_jobs_scan_has_one_id() -> None:
    """Beside the job's in time, and never the same."""
    job_id = "0197b0f0-0000-7000-8000-000000000001"
    assert scan_id_of(job_id) == scan_id_of(job_id) != job_id
    assert scan_id_of(job_id)[:18] == job_id[:18]
