"""The load generator against the real mesh: a benchmark that broke shall be noticed before it is needed."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.mesh.http1 import Connection, Lost
from bench.mesh.photos import photos, stored
from bench.mesh.running import FIRST_VERSION, running_scans
from bench.mesh.stack import Stack
from bench.mesh.users import phones, state_of, version_of
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens


@pytest.fixture
def whole(stack: Mapping[str, str]) -> Stack:
    folder = Path(stack["VAR"])
    return Stack(folder, stack, {}, Tokens(Secrets.load(folder / "secrets").signing_key))


async def test_a_change_reaches_who_watches_and_who_asks(whole: Stack) -> None:
    seen: asyncio.Queue[bytes] = asyncio.Queue()
    async with (
        running_scans(whole, 1) as (stage, (one,)),
        phones(whole, 1) as (asking,),
        phones(whole, 1) as (watching,),
    ):
        watch = asyncio.create_task(watching.watch(one.scan_id, seen.put_nowait))
        assert version_of(await seen.get()) == FIRST_VERSION
        await stage.change(one.scan_id)
        assert version_of(await seen.get()) == FIRST_VERSION + 1
        assert version_of(await asking.read(asking.reading(one.scan_id))) == FIRST_VERSION + 1
        watching.close()
        with pytest.raises(Lost):
            await watch


async def test_photos_are_scanned_from_storage_and_by_upload(whole: Stack) -> None:
    (address,), (photo,) = await stored(whole, 1), photos(1, seed=2)
    bucket = await Connection.open(whole.variables["ECO2_S3_ENDPOINT"])
    async with phones(whole, 1) as (phone,):
        for scan_id in (await phone.create(image_url=address), await phone.upload(photo, bucket)):
            events: list[bytes] = []
            await phone.watch(scan_id, events.append)
            assert state_of(events[-1]) == "SUCCEEDED"
    bucket.close()
