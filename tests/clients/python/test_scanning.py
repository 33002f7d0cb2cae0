"""A scan by both clients, whatever breaks on its way."""

import io
import json
from collections import Counter, deque
from pathlib import Path
from typing import Any

import httpx2
import pytest

import eco2_client
from eco2_client import Accepted, AnswerText, Classified, Disconnected, Finished, Progress, Reason, ScanState
from tests.clients.python.conftest import Caller
from tests.clients.python.fake_api import USUAL, Connection, FakeApi, Fault, lost, proxy, refused, status, unavailable

STEPS = ("guest", "create", "upload", "start", "watch")
ONCE = Counter(guest=1, create=1, upload=1, start=1, watch=1)


def test_a_photo_becomes_typed_events(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """In their order, the text as it grows, and the whole scan with each."""
    events = caller.scan(photo, location=(37.5, 126.9), region="마포구", question="어떻게?", locale="en")
    kinds = [type(event) for event in events]
    assert kinds == [
        Accepted, Progress, Progress, Classified, Progress, AnswerText, AnswerText, AnswerText, Finished,
    ]  # fmt: skip
    texts = [event for event in events if isinstance(event, AnswerText)]
    assert "".join(text.added for text in texts) == texts[-1].text == "종이는 펴서 내놓으세요."
    assert events[-1].scan.state is ScanState.SUCCEEDED
    assert events[-1].scan.classification is not None
    assert events[-1].scan.classification.category is not None
    assert events[-1].scan.classification.category.middle == "종이"
    assert api.done == ONCE
    body = json.loads(api.asked("create")[0].content)
    assert body.pop("request_id")
    assert body == {
        "upload": {"content_type": "image/jpeg", "size_bytes": len(photo), "sha256": body["upload"]["sha256"]},
        "location": {"latitude": 37.5, "longitude": 126.9}, "region": "마포구", "user_input": "어떻게?", "locale": "en",
    }  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", [refused, lost, unavailable, proxy], ids=lambda fault: fault.__name__)
def test_what_fails_for_the_moment_is_tried_again(
    caller: Caller, api: FakeApi, photo: bytes, step: str, fault: Any
) -> None:
    """At each step, three times in a row; everything is done once."""
    api.faults[step] = deque(fault() for _ in range(3))
    events = caller.scan(photo)
    assert isinstance(events[-1], Finished)
    assert len(api.scans) == len(api.photos) == 1
    assert api.done - ONCE <= Counter(create=3)  # a fresh address after each upload that failed


@pytest.mark.parametrize("step", STEPS)
def test_an_outage_is_outlived_that_is_longer_than_any_call_may_take(
    caller: Caller, api: FakeApi, photo: bytes, step: str
) -> None:
    """The scan's time counts, not that of the calls it takes."""
    api.outages[step] = caller.clock.outage(120)
    assert isinstance(caller.scan(photo)[-1], Finished)


@pytest.mark.parametrize("step", ["guest", "create", "upload", "start"])
def test_a_lost_reply_makes_nothing_twice(caller: Caller, api: FakeApi, photo: bytes, step: str) -> None:
    """One scan with one photo: the repetition carries the same request_id, or storage says that it has the photo."""
    api.lost_replies[step] = 2
    assert isinstance(caller.scan(photo)[-1], Finished)
    assert len(api.scans) == len(api.photos) == 1
    assert len({json.loads(request.content)["request_id"] for request in api.asked("create")}) == 1


def test_a_watch_that_is_cut_is_resumed_from_the_last_version(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """Before the first event, between events, and before the last one: nothing is told twice, nothing left out."""
    whole = caller.scan(photo)
    api.cuts = deque([0, 1, 2, 0, 2, 1])
    assert [(type(event), event.scan.version) for event in caller.scan(photo)] == [
        (type(event), event.scan.version) for event in whole
    ]
    resumed = [request.headers.get("last-event-id") for request in api.asked("watch")]
    assert resumed == [None, None, None, "1", "3", "3", "5", "6"]


def test_progress_never_goes_back(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """Whatever the next replica says at first."""
    whole = [event.scan.version for event in caller.scan(photo)]
    api.cuts, api.lags = deque([3, 5, 1]), True
    assert [event.scan.version for event in caller.scan(photo)] == whole == sorted(whole)


def test_pauses_are_those_that_the_api_asks_for(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """And a little more, so that not everybody comes back at once."""
    api.faults["create"] = deque([status(429, 8, "SCAN_BACKLOG", retry=30), status(429, 8, "RATE_LIMIT", retry=7)])
    caller.scan(photo)
    first, second = caller.clock.pauses
    assert 30 <= first <= 36
    assert 7 <= second <= 8.4


def test_who_cant_wait_is_told_how_long_it_would_be(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """At once, with the API's own reason."""
    api.faults["create"] = deque([status(429, 8, "SCAN_BACKLOG", retry=95)])
    with pytest.raises(eco2_client.ResourceExhausted) as caught:
        caller.scan(photo, timeout=60)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.SCAN_BACKLOG, 95)
    assert caller.clock.pauses == []


@pytest.mark.parametrize(
    ("fault", "kind"), [(refused, Disconnected), (unavailable, eco2_client.Unavailable)], ids=["nobody", "down"]
)
def test_an_outage_ends_with_the_callers_time(
    caller: Caller, api: FakeApi, photo: bytes, fault: Any, kind: type[Exception]
) -> None:
    """What is raised says what was wrong, and hides the transport."""
    api.faults["watch"] = deque(fault() for _ in range(1000))
    with pytest.raises(kind) as caught:
        caller.scan(photo, timeout=60)
    assert 50 <= sum(caller.clock.pauses) <= 60
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_watch_that_only_beats_ends_with_the_callers_time(
    caller: Caller, api: FakeApi, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat says that the connection lives, not that anything happens; the scan goes on."""
    clock = caller.clock

    def forever(request: httpx2.Request) -> httpx2.Response:
        def beats() -> Any:
            while True:
                clock.time += 15
                yield b": heartbeat\n\n"

        return httpx2.Response(200, stream=Connection(beats()))

    monkeypatch.setattr(api, "_watch", forever, raising=False)
    with pytest.raises(eco2_client.TimedOut) as caught:
        caller.scan(photo, timeout=100)
    assert caught.value.scan_id == "scan-0"


def test_who_watches_too_much_polls(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """Fifty watches are open already: the scan is read now and then."""
    api.faults["watch"] = deque([status(429, 8, "WATCH_LIMIT", most="50")])
    assert isinstance(caller.scan(photo)[-1], Finished)
    assert api.done["get"] == 1


def test_a_photo_that_storage_has_lost_is_uploaded_again(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """It said that it had it."""
    api.faults["start"] = deque([status(400, 9, "PHOTO_NOT_UPLOADED")])
    assert isinstance(caller.scan(photo)[-1], Finished)


def test_an_address_that_has_expired_is_renewed(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """It is good for five minutes; the scan stays the same one."""
    api.faults["upload"] = deque([httpx2.Response(403)])
    assert isinstance(caller.scan(photo)[-1], Finished)
    assert len(api.scans) == 1
    assert len({str(request.url) for request in api.asked("upload")}) == 2


def test_storage_that_refuses_for_good_is_told(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """With what it said."""
    api.faults["upload"] = deque([httpx2.Response(400, text="<Code>BadDigest</Code>")])
    with pytest.raises(eco2_client.UploadRefused, match=r"400: <Code>BadDigest"):
        caller.scan(photo)


def test_a_repetition_with_its_request_id_watches_the_scan_that_there_is(
    caller: Caller, api: FakeApi, photo: bytes
) -> None:
    """After a crash of the program: nothing is uploaded or started again."""
    for _ in range(2):
        assert isinstance(caller.scan(photo, request_id="mine")[-1], Finished)
    assert (len(api.scans), api.done["upload"], api.done["start"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ({"state": "STATE_CANCELLED"}, None),
        ({"state": "STATE_FAILED", "error": json.loads(status(400, 9, "NOT_WASTE").content)}, Reason.NOT_WASTE),
    ],
    ids=["cancelled", "failed"],
)
def test_a_scan_without_an_answer_is_an_error(
    caller: Caller, api: FakeApi, photo: bytes, ending: dict[str, Any], reason: Reason | None
) -> None:
    """With the scan, its reason, and what to tell the user."""
    api.story = [*USUAL[:2], ending]
    with pytest.raises(eco2_client.ScanFailed) as caught:
        caller(lambda client: client.scan(photo).result())
    assert (caught.value.reason, caught.value.scan.state) == (reason, ending["state"])
    assert caught.value.message


def test_an_answer_may_be_rewritten(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """A draft that the rules don't back is thrown away: what was shown is told to be void."""
    api.story = [*USUAL[:4], {"state": "STATE_SUCCEEDED", "answer_draft": "", "answer": {"text": "다른 답이에요."}}]
    last = [event for event in caller.scan(photo) if isinstance(event, AnswerText)][-1]
    assert (last.rewritten, last.added) == (True, "다른 답이에요.")


def test_a_newer_servers_fields_states_and_reasons_are_no_error(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """They are passed over, or told as they came."""
    api.story = [{"state": "STATE_PONDERING", "mood": ["new"], "progress": {"stage": "pondering"}}, *USUAL]
    events = caller.scan(photo)
    assert events[1].scan.state == "STATE_PONDERING"
    assert isinstance(events[-1], Finished)
    api.faults["create"] = deque([status(400, 9, "MOON_PHASE")])
    with pytest.raises(eco2_client.FailedPrecondition) as caught:
        caller.scan(photo)
    assert caught.value.reason == "MOON_PHASE"


@pytest.mark.parametrize("kind", ["bytes", "path", "text", "file"])
def test_a_photo_may_come_from_anywhere(caller: Caller, api: FakeApi, photo: bytes, tmp_path: Path, kind: str) -> None:
    """Its type is told by its content."""
    file = tmp_path / "photo.txt"
    file.write_bytes(photo)
    given = {"bytes": photo, "path": file, "text": str(file), "file": io.BytesIO(photo)}[kind]
    caller.scan(given)
    assert api.photos == {"scan-0": photo}


def test_an_address_is_fetched_by_the_api(caller: Caller, api: FakeApi) -> None:
    """Nothing is uploaded."""
    caller.scan("https://example.com/can.jpg")
    assert json.loads(api.asked("create")[0].content)["image_url"] == "https://example.com/can.jpg"
    assert api.done["upload"] == api.done["start"] == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", Reason.PHOTO_EMPTY, id="empty"),
        pytest.param(b"GIF89a", Reason.PHOTO_FORMAT, id="format"),
        pytest.param(b"\xff\xd8\xff" + bytes(20 << 20), Reason.PHOTO_TOO_LARGE, id="large"),
    ],
)
def test_what_is_no_photo_isnt_announced(caller: Caller, api: FakeApi, content: bytes, reason: Reason) -> None:
    """It costs the user nothing, not even a wait."""
    with pytest.raises(eco2_client.PhotoRefused) as caught:
        caller.scan(content)
    assert caught.value.reason is reason
    assert api.requests == []


def test_a_file_that_isnt_there_is_told_as_everywhere(caller: Caller, api: FakeApi) -> None:
    """Python's own error."""
    with pytest.raises(FileNotFoundError):
        caller.scan("nowhere.jpg")


def test_what_answers_may_not_be_eco2(caller: Caller, api: FakeApi, photo: bytes) -> None:
    """A hotel's sign-in page says 200 to everything."""
    pages: deque[Fault] = deque(httpx2.Response(200, text="<html>Welcome</html>") for _ in range(1000))
    api.faults["guest"] = pages
    with pytest.raises(Disconnected, match="isn't Eco²"):
        caller.scan(photo, timeout=20)
