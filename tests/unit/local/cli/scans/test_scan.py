"""`eco2 scan`: one photo and many, on this machine and elsewhere."""

import hashlib
from pathlib import Path

import pytest

from eco2.scan.v1 import scan_pb2
from local.cli.scans import sources
from mesh.errors import InvalidArgument, ResourceExhausted
from mesh.reasons import Reason
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge, Request, refused
from tests.support.cli.replies import Scans

FAILED = scan_pb2.Scan.State.STATE_FAILED


@pytest.fixture(autouse=True)
def _photos(run: Run, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(b"photo %d" % number)
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "note.txt").touch()


def test_one_photo_comes_back_as_a_card(eco2: Run, scans: Scans, edge: FakeEdge) -> None:
    """Progress goes elsewhere, so that the card alone can be kept."""
    ended = eco2(
        "scan", "0.png", "--user-input", "cup?", "--lat", "37.5", "--lon", "126.9", "--region", "서울특별시/마포구"
    )
    assert ended.status == 0, ended
    assert "Metal can" in ended.out
    assert "Looking at it" in ended.err
    assert "Looking at it" not in ended.out
    (created,) = edge.asked("POST /v1/scans")
    assert created.json["upload"]["sha256"] == hashlib.sha256(b"photo 0").hexdigest()
    assert (created.json["user_input"], created.json["location"]["longitude"]) == ("cup?", 126.9)


def test_an_address_is_scanned_without_an_upload(eco2: Run, scans: Scans, edge: FakeEdge) -> None:
    """It needn't be fetched here to be fetched there."""
    assert eco2("scan", "https://example.com/can.png").status == 0
    (created,) = edge.asked("POST /v1/scans")
    assert created.json["image_url"] == "https://example.com/can.png"
    assert not [one for one in edge.requests if one.method == "PUT"]


def test_many_are_a_table_in_the_order_they_were_named(eco2: Run, scans: Scans) -> None:
    """Whichever ends first."""
    ended = eco2("scan", *(f"{number}.png" for number in range(6)))
    assert ended.status == 0
    assert [line.split("\t")[0] for line in ended.out.splitlines()] == ["photo", *(f"{n}.png" for n in range(6))]
    assert all(f"{number}.png: " in ended.err for number in range(6))


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_are_under_way_than_asked_for(eco2: Run, scans: Scans, at_once: int) -> None:
    """The service has limits, and so has the line."""
    eco2("scan", *(f"{number}.png" for number in range(6)), "--at-once", str(at_once))
    assert 1 <= scans.under_way <= at_once


def test_one_that_fails_stops_no_other(eco2: Run, scans: Scans) -> None:
    """Neither one that can't be read, nor one whose scan fails; the status says how many."""
    scans.ends[b"photo 1"] = FAILED
    names = ("0.png", "nowhere.png", "1.png", "folder.jpg", "note.txt", "2.png")
    ended = eco2("scan", *names, "--locale", "en")
    assert ended.status == 10 + 4
    assert "4 of 6 photos failed." in ended.err
    for name in ("nowhere.png", "folder.jpg", "note.txt"):
        assert [line for line in ended.err.splitlines() if line.startswith(f"{name}: ")]
    rows = [line.split("\t")[:2] for line in ended.out.splitlines()[1:]]
    assert rows == [["0.png", "Metal can"], ["1.png", "failed"], ["2.png", "Metal can"]]


def test_programs_learn_which_failed(eco2: Run, scans: Scans) -> None:
    """The scans that there are on one stream, the photos without one on the other."""
    ended = eco2("scan", "0.png", "nowhere.png", "--json")
    assert (ended.status, ended.error["source"]) == (11, "nowhere.png")
    assert [one["source"] for one in ended.documents] == ["0.png"]


def test_a_single_one_that_fails_ends_as_any_command(eco2: Run, scans: Scans) -> None:
    """One is no list."""
    scans.ends[b"photo 1"] = FAILED
    assert eco2("scan", "1.png").status == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [("nowhere.png", "no file"), ("folder.jpg", "folder.jpg/*.jpg"), ("note.txt", "HEIC"), ("large.png", "too large")],
)
def test_what_cant_be_a_photo_is_refused_before_a_stack_is_asked_for(
    run: Run, tmp_path: Path, name: str, told: str
) -> None:
    """The API would refuse it in other words, or nobody would know why."""
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate((20 << 20) + 1)
    ended = run("scan", name)
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert told in ended.err


def test_who_scans_too_much_at_once_waits_and_goes_on(
    eco2: Run, scans: Scans, edge: FakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the service says, with the same request id."""
    waited: list[float] = []
    monkeypatch.setattr("local.cli.scans.run._pause", waited.append)
    create, full = edge.answers["POST /v1/scans"], refused(ResourceExhausted(Reason.SCAN_BACKLOG, retry_after=3.0), 429)
    tries: list[str] = []

    def busy(request: Request) -> object:
        tries.append(request.json["request_id"])
        return full if len(tries) <= 2 else create(request)  # type: ignore[operator]

    edge.answers["POST /v1/scans"] = busy  # type: ignore[assignment]
    assert eco2("scan", "0.png").status == 0
    assert (waited, len(set(tries))) == ([3, 3], 1)


def test_a_refusal_for_good_isnt_tried_again(eco2: Run, scans: Scans, edge: FakeEdge) -> None:
    """The answer wouldn't change."""
    edge.answers["POST /v1/scans"] = refused(InvalidArgument(Reason.ADDRESS_REFUSED))
    assert eco2("scan", "http://10.0.0.1/can.png").status == 1
    assert len(edge.asked("POST /v1/scans")) == 1


def test_half_a_location_is_refused(run: Run) -> None:
    """A latitude alone is no place."""
    ended = run("scan", "0.png", "--lat", "37.5")
    assert ended.status == 2
    assert "--lon" in ended.err


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.jpg", "image/jpeg"),
        ("A.JPEG", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.heic", "image/heic"),
        ("a.heif", "image/heif"),
    ],
)
def test_a_photo_is_announced_as_its_name_says_on_any_machine(
    name: str, media_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slim image has no /etc/mime.types, and Python 3.11 alone knows neither WebP nor HEIC."""
    monkeypatch.setattr("mimetypes.guess_type", lambda *_: (None, None))
    assert sources.content_type(Path(name)) == media_type


def test_the_demo_refuses_what_is_no_photo_before_a_stack_is_started(run: Run) -> None:
    """That would take seconds."""
    ended = run("demo", "--photo", "note.txt")
    assert ended.status == 2
    assert "HEIC" in ended.err
