"""Whole scans whose photos are looked at and whose answers are written by a hosted model, on a stack of their own."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import asyncpg
import httpx2
import pytest
import redis.asyncio as redis
from PIL import Image

from eco2_client import AsyncClient
from local.files import ENV_FILE, read_env
from local.stack import background
from local.standins.openai import behaviour
from local.standins.openai.server import OpenAIStandIn, running
from tests.clients.older.mobile_app import MobileApp
from tests.clients.python.paid_model import PaidModel
from tests.e2e.conftest import Json, Sign, jpeg
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.stack_folders import stack_folder
from tests.support.waiting import eventually, true_of

pytestmark = [pytest.mark.stack, pytest.mark.slow]

_SNAPSHOT = "gpt-4.1-mini-2026-01-15"
_USER_USD = "0.012"  # three scans and a little
_STORES = {"postgres", "valkey", "seaweedfs"}


@pytest.fixture(scope="module")
def port() -> int:
    """Where the stand-in listens, test after test."""
    return free_port()


@pytest.fixture(scope="module")
def stack(port: int) -> Iterator[Mapping[str, str]]:
    """A stack that asks the stand-in."""
    with stack_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-nobody")
        patch.setenv("ECO2_OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        patch.setenv("ECO2_VISION_CHAIN", "gpt-4.1-mini")
        patch.setenv("ECO2_MODEL_USER_DAILY_USD", _USER_USD)
        with background.running(folder) as variables:
            yield {**variables, "VAR": str(folder)}


@pytest.fixture
async def openai(port: int) -> AsyncIterator[OpenAIStandIn]:
    async with running(port=port) as stand_in:
        yield stand_in


def _photo(shade: int) -> bytes:
    return jpeg(Image.new("RGB", (320, 240), (shade, 90, 160)))


def _looks(openai: OpenAIStandIn) -> int:
    """How often the model was shown a photo; answers are streamed, looks aren't."""
    return sum(not request.streamed for request in openai.requests)


def _stages(scan: Json) -> dict[str, Json]:
    return {run["stage"]: run for run in scan["stages"]}


async def test_a_model_looks_and_writes(sign_in: Sign, openai: OpenAIStandIn) -> None:
    """A watcher reads along; who said what, and what it cost, is told."""
    openai.usual = behaviour.OBEDIENT.paced(0, 1.5, 10)
    phone = sign_in()
    events = await phone.events(await phone.started(_photo(10)))
    scan = events[-1]["scan"]
    assert scan["state"] == "STATE_SUCCEEDED"
    assert scan["classification"]["category"] == {"major": "재활용폐기물", "middle": "금속류", "minor": "음료캔"}
    drafts = [event["scan"]["answer_draft"] for event in events if event["scan"].get("answer_draft")]
    assert len(set(drafts)) > 1
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(drafts))
    assert scan["answer"]["text"].startswith(drafts[-1])
    for opinion in (scan["classification"], scan["answer"]):
        assert (opinion["provider"], opinion["model"]) == ("gpt-4.1-mini", _SNAPSHOT)
        assert opinion["prompt_version"]
    stages = _stages(scan)
    assert {name for name, run in stages.items() if "usage" in run} == {"vision", "answer"}
    for name in ("vision", "answer"):
        usage = stages[name]["usage"]
        assert (usage["model"], usage["calls"]) == (_SNAPSHOT, 1)
        assert min(usage["input_tokens"], usage["output_tokens"], usage["cost_micro_usd"]) > 0
    assert openai.count == 2


async def test_the_same_photo_is_never_paid_for_twice(sign_in: Sign, openai: OpenAIStandIn) -> None:
    """Whoever sends it."""
    first, second = [await phone.finished(await phone.started(_photo(20))) for phone in (sign_in(), sign_in())]
    assert second["classification"] == first["classification"]
    assert "usage" in _stages(first)["vision"]
    assert "usage" not in _stages(second)["vision"]
    assert _looks(openai) == 1


async def test_what_a_failed_try_cost_is_in_the_stages_sum(sign_in: Sign, openai: OpenAIStandIn) -> None:
    """An answer that breaks the schema is paid for like any other."""
    openai.script(behaviour.breaking_schema())
    phone = sign_in()
    vision = _stages(await phone.finished(await phone.started(_photo(30))))["vision"]
    assert (vision["attempts"], vision["usage"]["calls"], _looks(openai)) == (2, 2, 2)
    usual = _stages(await phone.finished(await phone.started(_photo(31))))["vision"]["usage"]
    assert vision["usage"]["input_tokens"] == 2 * usual["input_tokens"]
    assert vision["usage"]["cost_micro_usd"] > usual["cost_micro_usd"]


async def test_a_user_whose_share_is_spent_is_told_at_once(
    stack: Mapping[str, str], sign_in: Sign, openai: OpenAIStandIn
) -> None:
    """Tomorrow is beyond any scan's end: nobody waits for it, nothing is asked, and others go on."""
    phone = sign_in()
    for shade in range(40, 50):
        asked = _looks(openai)
        scan = await phone.finished(await phone.started(_photo(shade)))
        if scan["state"] != "STATE_SUCCEEDED":
            break
    assert (scan["state"], scan["error"]["code"]) == ("STATE_FAILED", 8)  # RESOURCE_EXHAUSTED
    assert {one["reason"] for one in scan["error"]["details"] if "reason" in one} == {"MODEL_BUDGET_SPENT"}
    texts = {one["locale"]: one["message"] for one in scan["error"]["details"] if "locale" in one}
    assert set(texts) == {"ko", "en"}
    assert _looks(openai) == asked > 0
    async with redis.Redis.from_url(stack["ECO2_REDIS_URL"]) as store:
        await store.delete(*[key async for key in store.scan_iter("model:*")])
    again = await phone.finished(await phone.started(_photo(59)))
    assert (again["state"], _looks(openai)) == ("STATE_FAILED", asked)  # the count is lost, the books aren't
    other = sign_in()
    assert (await other.finished(await other.started(_photo(60))))["state"] == "STATE_SUCCEEDED"


async def test_fifty_scans_outlive_edge_and_services_and_none_is_paid_for_twice(
    stack: Mapping[str, str], port: int, sign_in: Sign
) -> None:
    """Killed while forty are queued, looked at or written, and ten are being created; their clients don't notice.

    Every tenth is an older mobile app's.
    """
    model, address, finished = PaidModel(answered_first=30), stack["ECO2_REST_URL"], list[str]()

    async def scan(http: httpx2.AsyncClient, number: int) -> None:
        photo = jpeg(Image.new("RGB", (64, 64), (number * 5, 200, 30)))
        if number % 10:
            finished.append((await AsyncClient(address, http=http).scan(photo, timeout=180).result()).scan_id)
        else:
            result = await MobileApp(http, address, sign_in().headers["Authorization"]).scan(photo)
            assert result["feedback"], result
            finished.append(result["job_id"])

    async with (
        running(model, port=port),
        http_client(limits=httpx2.Limits(max_connections=None)) as http,
        asyncio.TaskGroup() as scans,
    ):
        for number in range(40):
            scans.create_task(scan(http, number))
        # All that was answered is stored then: a scan's next call, or its end, comes after that. All else is held.
        await eventually(lambda: true_of(model.begun == 40 + model.looks and len(finished) == model.answers > 0), 120)
        for number in range(40, 50):
            scans.create_task(scan(http, number))
        await _kill_edge_and_services(stack)
        begun = model.begun  # all of them by the process that is gone: its successor takes half a second at least
        await eventually(lambda: true_of(model.settled >= begun), 120)
        model.going.set()

    assert len(finished) == 50
    assert (model.looks, model.answers) == (50, 50)
    assert len({*finished}) == 50


async def _kill_edge_and_services(stack: Mapping[str, str]) -> None:
    """Ends them without asking; their supervisor starts them again. Of the worker nobody hears, as after a lease."""
    database = await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    try:
        pairs = [pair.split("=") for pair in read_env(Path(stack["VAR"]) / ENV_FILE)["ECO2_PIDS"].split(",")]
        killed = [name for name, _ in pairs if name not in _STORES]
        assert "envoy" in killed
        assert len(killed) > 1
        for name, pid in pairs:
            if name in killed:
                os.kill(int(pid), signal.SIGKILL)
        await database.execute("delete from scan.worker")
    finally:
        await database.close()
