"""The operators' page in a real browser: every view, by keyboard, in two languages, sizes and schemes."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.e2e.browser.conftest import SCREENSHOTS
from tests.e2e.conftest import Phone, Sign

# So many scans of one user that nobody could look through them on one page.
_MANY = """
insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key, content_type, size_bytes,
                       sha256, user_input, region, locale, step, created_at, started_at, finished_at)
select uuidv7(-age), $1, '', 'EXPIRED', 1, '', '', '', 0, '', '', '', 'ko', 'upload', now() - age, now() - age, now()
from (select n * interval '7 seconds' as age from generate_series(1, 10000) n) as given
"""
# One of them was told of in vain; another one took long, and cost something.
_WEBHOOK = """
with told as (
    insert into scan.webhook (id, scan_id, event)
    select uuidv7(), id, 'scan.failed' from scan.scan where user_id = $1 order by id limit 1
    returning id
)
insert into scan.webhook_attempt (webhook_id, attempt, status, error, duration_ms)
select id, 1, 410, 'http 410', 84 from told
"""
_DEAR = """
update scan.scan set state = 'SUCCEEDED', started_at = now() - interval '3 minutes', stages = $2::jsonb
where id = (select id from scan.scan where user_id = $1 order by id desc limit 1)
"""
_STAGES = [
    {"stage": stage, "attempts": 1, "duration_ms": 61_000, "worker_id": 7, "usage": {"model": "gpt", **usage}}
    for stage, usage in (
        ("vision", {"input_tokens": 1200, "output_tokens": 80, "cost_micro_usd": 2140, "calls": 1}),
        ("answer", {"input_tokens": 2300, "output_tokens": 260, "cost_micro_usd": 4310, "calls": 2}),
    )
]


@pytest.fixture
async def crowded(stack: Mapping[str, str]) -> AsyncIterator[str]:
    """Somebody with ten thousand scans."""
    user, connection = f"crowd-{uuid.uuid4().hex}", await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    await connection.execute(_MANY, user)
    await connection.execute(_WEBHOOK, user)
    await connection.execute(_DEAR, user, json.dumps(_STAGES))
    yield user
    await connection.execute("delete from scan.scan where user_id = $1", user)
    await connection.close()


async def walked(browser: Path, orders: Mapping[str, str], late: Phone) -> dict[str, Any]:
    """What the browser saw; when it asks for a scan, `late` makes one."""
    process = await asyncio.create_subprocess_exec(
        *("node", "operators.mjs", json.dumps(orders)),
        cwd=browser,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = await process.stdout.readline()
    if said.startswith(b"ready"):
        await late.create(b"a photo to come")
        said = await process.stdout.readline()
    assert await process.wait() == 0
    seen: dict[str, Any] = json.loads(said)
    return seen


async def test_operators_find_their_way(
    browser: Path, stack: Mapping[str, str], sign_in: Sign, phone: Phone, crowded: str
) -> None:
    """Nobody is let in with a user's token; nothing on the way is in anybody's way, however many scans there are."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    late = f"late-{uuid.uuid4().hex}"
    failed = await phone.started(b"no photo at all")
    assert (await phone.finished(failed))["state"] == "STATE_FAILED"
    orders = {
        "url": stack["ECO2_OPERATORS_URL"],
        "token": stack["ECO2_OPERATOR_TOKEN"],
        "usersToken": stack["ECO2_TOKEN"],
        "failed": failed,
        "user": crowded,
        "lateUser": late,
        "screenshots": str(SCREENSHOTS),
    }
    seen = await walked(browser, orders, sign_in(late))
    assert seen["troubles"] == []
    assert {name: found for name, found in seen["axe"].items() if found} == {}
    assert len(seen["axe"]) == 15
    assert seen["refused"] == "This is for operators alone."
    assert orders["token"] not in seen["address"]
    assert (len(seen["first"]), len(seen["second"])) == (50, 50)
    assert not set(seen["first"]) & set(seen["second"])
    assert seen["first"] == sorted(seen["first"], reverse=True)
    assert (seen["paused"], seen["none"], len(seen["late"])) == ("false", 0, 1)
    events = [(kind, type_, stage) for _, kind, type_, stage, *_ in seen["events"]]
    assert events[:2] == [("scan", "eco2.scan.upload.awaited", ""), ("scan", "eco2.scan.accepted", "vision")]
    failed_at = events.index(("scan", "eco2.scan.stage.failed", "vision"))
    assert events.index(("scan", "eco2.scan.stage.started", "vision")) < failed_at
    assert seen["events"][failed_at][4] == "1"
    assert seen["events"][failed_at][5] != "–"
    assert seen["events"][failed_at][6]
    assert seen["replayed"] == "Queued again from stage vision."
    assert seen["language"] == "ko"
