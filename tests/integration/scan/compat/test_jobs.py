"""Jobs of older apps: upload first, of a size that nobody announced; then poll."""

from collections.abc import AsyncIterator

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from mesh.errors import InvalidArgument
from mesh.locale import Locale
from mesh.reasons import TEXTS, Reason
from scan_svc import uploads
from tests.integration.scan.client import PHOTO, Client, reason
from tests.integration.scan.compat.older_client import OlderClient, older
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

NEVER_MADE = "0197a1b2-0000-7000-8000-000000000001"


@pytest.fixture
async def app(client: Client) -> AsyncIterator[OlderClient]:
    """The client's older app."""
    async with older(client) as app:
        yield app


async def test_a_job_is_a_scan_from_upload_to_result(app: OlderClient, client: Client, peers: Peers) -> None:
    """By one engine: what the older app reads is what ScanService tells of the same id."""
    job = await app.analyze()
    waiting = await app.status(job.job_id)
    assert (waiting.status, waiting.HasField("progress"), waiting.progress) == ("pending", True, 0)
    assert not waiting.HasField("result")
    (await app.put(job)).raise_for_status()
    assert [await app.complete(job.job_id.upper()) for _ in range(2)] == ["processing"] * 2
    assert (await app.progress(job.job_id))[-1] == {"step": "done", "status": "completed", "progress": 100}

    async def rewarded() -> bool:  # which may come later than a watch waits for it
        return bool((await app.status(job.job_id)).result.character)

    await eventually(rewarded)
    done, scan = await app.status(job.job_id), await client.get(job.job_id)
    assert (done.job_id, done.status, done.progress, done.updated_at) == (
        job.job_id, "completed", 100, scan.finish_time,
    )  # fmt: skip
    assert done.result == await app.result(job.job_id)
    assert (done.result.waste_type, done.result.category) == ("금속류", "재활용폐기물/금속류")
    assert done.result.confidence == pytest.approx(0.9)
    assert done.result.feedback == scan.answer.text
    assert list(done.result.disposal_steps) == ["비워요"]
    assert (done.result.character, done.result.image_url) == ("메탈리", job.image_url)
    assert await app.complete(job.job_id) == "processing"
    assert peers.calls["Classify"] == 1


async def test_there_is_no_result_before_the_end(app: OlderClient, client: Client, peers: Peers) -> None:
    """404 with the time to ask again, as older apps are used to; the status tells how far it is."""
    gate = peers.before["MatchRules"] = Gate()
    job_id = await app.started()
    await gate.held()
    running = await app.status(job_id)
    assert (running.status, running.HasField("result")) == ("processing", False)
    assert running.progress < 100
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await app.result(job_id)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.NOT_FOUND, Reason.RESULT_NOT_READY)
    assert dict(caught.value.trailing_metadata() or ())["retry-after"] == "1"
    gate.open()
    await client.finished(job_id)


async def test_a_job_that_fails_says_why_in_its_readers_language(
    app: OlderClient, client: Client, peers: Peers
) -> None:
    """The status is the only place an older app looks at."""

    async def refuse() -> None:
        raise InvalidArgument(Reason.PHOTO_UNREADABLE)

    peers.before["Classify"] = refuse
    job_id = await app.started()
    last = (await app.progress(job_id))[-1]
    assert (last["step"], last["status"]) == ("vision", "failed")
    async with older(client, "en") as english:
        told = {Locale.KO: await app.status(job_id), Locale.EN: await english.status(job_id)}
    assert {locale: status.message for locale, status in told.items()} == TEXTS[Reason.PHOTO_UNREADABLE]
    assert {status.status for status in told.values()} == {"failed"}
    assert told[Locale.KO].progress < 100
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await app.result(job_id)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.NO_RESULT)


async def test_an_upload_of_no_use_is_refused_and_another_may_take_its_place(
    app: OlderClient, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address can't bind a size that nobody knew; so the limits hold when the upload is complete."""
    monkeypatch.setattr(uploads, "LARGEST_BYTES", len(PHOTO))
    job = await app.analyze()
    for content, expected in ((b"", Reason.PHOTO_EMPTY), (PHOTO + b"!", Reason.PHOTO_TOO_LARGE)):
        (await app.put(job, content)).raise_for_status()
        for told in (expected, Reason.PHOTO_NOT_UPLOADED):  # the first time it is removed
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await app.complete(job.job_id)
            assert reason(caught.value) == told
    (await app.put(job)).raise_for_status()
    await app.complete(job.job_id)
    assert (await client.finished(job.job_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_an_upload_of_another_type_is_refused_by_storage(app: OlderClient) -> None:
    """That much the address binds."""
    job = await app.analyze()
    reply = await app.put(job, b"\x89PNG", content_type="image/png")
    assert reply.status_code == 403


async def test_a_job_that_cant_go_on_is_told_so(app: OlderClient, client: Client) -> None:
    """Not uploaded, cancelled, unknown, and no id at all: each by its reason."""
    waiting, cancelled = await app.analyze(), await app.analyze()
    await client.cancel(cancelled.job_id)
    for job_id, expected in (
        (waiting.job_id, Reason.PHOTO_NOT_UPLOADED),
        (cancelled.job_id, Reason.SCAN_STATE),
        (NEVER_MADE, Reason.SCAN_NOT_FOUND),
        ("no id of ours", Reason.SCAN_NOT_FOUND),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await app.complete(job_id)
        assert reason(caught.value) == expected
    for call in (app.status, app.result, app.progress):
        for job_id in (NEVER_MADE, "no id of ours"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(job_id)
            assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)
