"""Uploads whose address can't forbid overwriting: older clients send no header that it could bind."""

from contextlib import AsyncExitStack

import pytest

from eco2.scan.v1 import scan_pb2
from mesh.reasons import Reason
from tests.integration.scan.client import StartScanService, reason_of
from tests.integration.scan.compat.older_client import older
from tests.integration.scan.photos.conftest import Photos
from tests.support.scan.vision_service import Eye, vision_service
from tests.support.storage import Storage


@pytest.mark.parametrize("repeated", [True, False], ids=["the same", "another"])
async def test_only_what_was_checked_is_ever_looked_at(
    start_scan_service: StartScanService, own_bucket: Storage, photos: Photos, eye: Eye, photo: bytes, *, repeated: bool
) -> None:
    """An app that repeats its upload loses nothing; what it puts there after it said so is neither read nor shown."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        where = {
            "vision_target": await enter(vision_service(own_bucket, eye)),
            "s3_bucket": own_bucket.bucket,
            "cdn_base_url": own_bucket.cdn_base_url,
        }
        client = await enter(start_scan_service("mina", scan_role="api", **where))
        app = await enter(older(client))
        job = await app.analyze()
        (await app.put(job, photo)).raise_for_status()
        await app.complete(job.job_id)
        (await app.put(job, photo if repeated else photo + b"!")).raise_for_status()

        await enter(start_scan_service("mina", scan_role="worker", **where))
        scan = await client.finished(job.job_id)
    if repeated:
        assert (scan.state, eye.looks) == (scan_pb2.Scan.STATE_SUCCEEDED, 1)
    else:
        assert (scan.state, reason_of(scan.error)) == (scan_pb2.Scan.STATE_FAILED, Reason.PHOTO_NOT_FOUND)
        assert (eye.looks, await photos.seen(job.job_id)) == (0, {})
