"""Both clients before the whole mesh, through the real edge: every operation, by what programs call."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx2
import msgspec
import pytest

from eco2_client import (
    Accepted,
    AsyncClient,
    BatchSpec,
    Classified,
    Client,
    ExportSpec,
    Finished,
    JobFailed,
    JobKind,
    JobState,
    NotFound,
    Reason,
    ScanFailed,
    ScanState,
)
from eco2_client.models import (
    Building,
    BuildingBin,
    BuildingBinKind,
    BuildingCollection,
    BuildingCollectionKind,
    BuildingText,
    Category,
    DayOfWeek,
    ExportState,
    Scan,
)
from tests.support import description
from tests.support.sample_photos import note
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]
MAPO = (37.5636, 126.9084)
# These need a provider; the tests of Auth sign in.
WITH_PROVIDER = {"beginSignIn", "completeSignIn"}
# For other services, and by hand.
ELSEWHERE = {"getKeys", "getHealth", "getDescription", "getReference", "getJob2"}
# What pages and calendar apps are reminded by: the client has no methods for them.
REMINDERS = {
    "createCalendar", "deleteCalendar", "getCalendar", "getPushKey", "listSubscriptions", "createSubscription",
    "deleteSubscription", "remindScan",
}  # fmt: skip


class Witness:
    """Holds every reply against the description, and keeps which operations succeeded."""

    def __init__(self) -> None:
        self.done: set[str] = set()

    async def __call__(self, response: httpx2.Response) -> None:
        path = response.request.url.path
        if not path.startswith("/v1/"):  # storage's
            return
        if path.endswith(":watch"):
            assert response.status_code == 200
            self.done.add("watchJob" if path.startswith("/v1/jobs/") else "watchScan")
            return
        text = (await response.aread()).decode()
        name = description.check(response.request.method, path, response.status_code, response.headers, text)
        self.done |= {name} if response.is_success else set()


async def test_every_operation_is_called_as_described(stack: Mapping[str, str], tmp_path: Path) -> None:
    """What is added to the API is added here, or named above."""
    witness = Witness()
    hooks = {"response": [witness]}
    async with httpx2.AsyncClient(verify=False, event_hooks=hooks) as http:
        connect = partial(AsyncClient, stack["ECO2_REST_URL"], http=http, locale="en")
        client = connect()
        await scan_and_reply(client)
        await fetch_the_history(connect(), tmp_path)
        await look_up(client)
        await keep_a_building(client)
        await come_and_go(client, connect)
    offered = {each["operationId"] for _, _, each in description.operations() if not each.get("deprecated")}
    assert offered - witness.done == WITH_PROVIDER | ELSEWHERE | REMINDERS


async def scan_and_reply(client: AsyncClient) -> None:
    """The main job, and what can be done with a scan."""
    events = [event async for event in client.scan(note(), location=MAPO, region="11440", question="How?")]
    assert isinstance(events[0], Accepted)
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Classified) for event in events)
    scan = await rewarded(client, events[-1].scan.scan_id)
    assert scan.classification is not None
    assert scan.classification.category == Category(major="재활용폐기물", middle="종이")
    assert scan.answer is not None
    assert scan.answer.text
    assert scan.reward is not None
    assert scan.places[0].location is not None
    assert scan.stages[0].duration is not None
    assert scan.create_time is not None
    assert await client.scans.get(scan.scan_id, wait=5, after_version=0) == scan
    assert await client.watch(scan.scan_id).result() == scan
    assert [each.scan_id async for each in client.scans.list()] == [scan.scan_id]
    assert (await client.scans.schedule(region="11440")).date
    await client.scans.put_out(scan.scan_id)
    assert (await client.scans.watch_ticket(scan.scan_id)).watch_url.startswith(f"/v1/scans/{scan.scan_id}:watch?")
    assert (await client.scans.answer(scan.scan_id, "아니요, 건전지예요")).understood
    assert (await client.characters.owned()).characters[0].count == 1
    await client.scans.accuracy()
    created = await client.scans.create(content_type="image/png", size_bytes=9)
    assert created.scan is not None
    assert (await client.scans.cancel(created.scan.scan_id)).state is ScanState.CANCELLED
    with pytest.raises(ScanFailed) as failed:
        await client.scan(b"\xff\xd8\xff no photo", max_side=None).result()
    assert failed.value.reason is Reason.PHOTO_UNREADABLE
    await client.scans.delete(scan.scan_id)
    with pytest.raises(NotFound):
        await client.scans.get(scan.scan_id)


async def fetch_the_history(client: AsyncClient, folder: Path) -> None:
    """A job from its creation to its file, and one with an upload to its end."""
    scan = await client.scan(note()).result()
    job = await client.jobs.create(ExportSpec(time_zone="Europe/Berlin"))
    ended = await client.jobs.wait(job.job_id, timeout=120)
    assert ended.export_result is not None
    assert ended.export_result.scans == 1
    file = folder / ended.export_result.file_name
    assert (await client.jobs.download(job.job_id, file)).size_bytes == file.stat().st_size
    assert file.read_bytes().startswith(b"PK")
    assert (await client.jobs.get(scan.scan_id)).kind is JobKind.SCAN
    sheet = folder / "photos.csv"
    sheet.write_bytes(b"no addresses\n1\n")
    batch = await client.jobs.create(BatchSpec(), file=sheet)
    with pytest.raises(JobFailed) as failed:
        await client.jobs.wait(batch.job_id, timeout=120)
    assert failed.value.reason is Reason.SHEET_NO_ADDRESSES
    announced = await client.jobs.announce(BatchSpec(), content_type="text/csv", size_bytes=9)
    assert announced.job is not None
    assert (await client.jobs.cancel(announced.job.job_id)).state is JobState.CANCELLED
    assert [each.job_id async for each in client.jobs.list(kind=JobKind.EXPORT)] == [job.job_id]
    await client.jobs.delete(job.job_id)
    with pytest.raises(NotFound):
        await client.jobs.get(job.job_id)


async def rewarded(client: AsyncClient, scan_id: str) -> Scan:
    """A scan with what it earned, which may come later than a watch waits for it."""

    async def is_there() -> bool:
        return (await client.scans.get(scan_id)).reward is not None

    await eventually(is_there)
    return await client.scans.get(scan_id)


async def look_up(client: AsyncClient) -> None:
    """The rule book and the catalogue, without a photo."""
    (found, *_) = await client.rules.search("우유갑을")
    assert found.category is not None
    matched = await client.rules.match(found.category, region="11440", question="젖었어요", location=MAPO)
    assert matched.rules[0].steps
    assert (await client.rules.taxonomy()).majors[0].children
    places = await client.rules.places(MAPO, materials=["전지"], radius_meters=50_000)
    assert all("전지" in place.materials for place in places)
    assert (await client.characters.list())[0].name


async def keep_a_building(client: AsyncClient) -> None:
    """From its creation to its end."""
    evening = BuildingCollection(
        kind=BuildingCollectionKind.RECYCLABLE, days=(DayOfWeek.TUESDAY,), open_time="18:00", close_time="06:00"
    )
    battery = BuildingBin(kind=BuildingBinKind.BATTERY, place=BuildingText(ko="관리사무소 앞"))
    building = Building(name="한빛아파트", region="11440", collections=(evening,), bins=(battery,))
    made = await client.buildings.create(building)
    assert await client.buildings.list() == (made,)
    read = await client.buildings.get(made.code)
    assert (read.collections, read.bins) == ((evening,), (battery,))
    changed = await client.buildings.update(msgspec.structs.replace(read, name="한빛"))
    assert changed.name == "한빛"
    await client.buildings.delete(changed.code, etag=changed.etag)


async def come_and_go(client: AsyncClient, connect: Callable[..., AsyncClient]) -> None:
    """The account, and its end."""
    assert await client.auth.providers()
    assert (await client.account.get()).guest
    export = await client.account.export()
    assert export.state is ExportState.SUCCEEDED
    assert export.size_bytes > 0
    held = client.auth.credentials
    assert held is not None
    old = msgspec.structs.replace(held.session, access_token_expire_time=datetime.now(UTC))
    again = connect(credentials=msgspec.structs.replace(held, session=old))
    assert (await again.account.get()).user_id == held.session.user_id
    assert again.auth.credentials != held
    client = connect(credentials=again.auth.credentials)
    await client.account.logout_everywhere()
    await client.account.delete()
    await client.auth.logout()
    await client.auth.guest()
    assert (await client.account.get()).user_id != held.session.user_id


def test_the_blocking_client_does_the_same(stack: Mapping[str, str]) -> None:
    """Without a loop."""
    with Client(stack["ECO2_REST_URL"], locale="ko") as client:
        scan = client.scan(note()).result()
        assert scan.answer is not None
        assert scan.answer.text
        assert [each.scan_id for each in client.scans.list()] == [scan.scan_id]


def test_the_example_runs_as_written(stack: Mapping[str, str], tmp_path: Path) -> None:
    """From the wheel, with what it brings and nothing else of ours; a wheel can be read where it is."""
    build = [Path(sysconfig.get_path("scripts")) / "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(build, cwd=ROOT / "clients" / "python", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("eco2_client-*.whl")
    photo = tmp_path / "note.jpg"
    photo.write_bytes(note())
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "python" / "scan.py", photo], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": os.defpath, "PYTHONPATH": str(wheel), "ECO2_REST_URL": stack["ECO2_REST_URL"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    name, _, answer = done.stdout.partition("\n")
    assert name == "Paper"
    assert answer
