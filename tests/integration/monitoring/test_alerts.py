"""Each alert by its own fault: the stack is broken, Prometheus tells, the stack is mended, Prometheus is quiet.

An hour is a minute here (`faults.SCALE`): all spans of the rules are, nothing else. Nineteen alerts are tried. The
others want an age of hours (a webhook's), a figure that no fault brings about on demand (a model's 20 s, a late event
loop), three restarts of one process within 15 s, or a fault that nobody has written yet (a full pool, photos that can't
be removed, jobs in quarantine); promtool's unit tests have all of them (`test_promtool.py`).
"""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from PIL import Image

from local.stack import background
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from local.standins.openai import behaviour
from local.standins.openai.server import running
from tests.clients.python.paid_model import PaidModel
from tests.e2e.conftest import Phone, jpeg
from tests.integration.monitoring.faults import Watched, Workers, watched
from tests.support import promql
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.series import labels
from tests.support.stack_folders import stack_folder

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.stack]

_PHOTOS = (jpeg(Image.new("RGB", (64, 48), (red, green, 90))) for red, green in itertools.product(range(256), repeat=2))


@pytest.fixture(scope="module")
def port() -> int:
    """Where the model listens."""
    return free_port()


@pytest.fixture(scope="module")
def stack(port: int) -> Iterator[Mapping[str, str]]:
    """A stack that works on nothing by itself, and asks a model that has no deputy, once."""
    settings = {
        "OPENAI_API_KEY": "sk-nobody",
        "ECO2_OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "ECO2_VISION_CHAIN": "gpt-4.1-mini",
        "ECO2_SCAN_ROLE": "api",
        "ECO2_STAGES": '{"vision": {"attempts": 1}}',
        "ECO2_LEASE_SECONDS": "2",
        "ECO2_ADMISSION_ALWAYS": "20",
        "ECO2_MODEL_DAILY_USD": "1",
    }
    with stack_folder() as folder, pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        with background.running(folder) as variables:
            yield {**variables, "VAR": str(folder)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(port: int) -> AsyncIterator[PaidModel]:
    """The model; it answers at once while it is going."""
    paid = PaidModel(answered_first=0)
    paid.going.set()
    async with running(paid, port=port):
        yield paid


@pytest.fixture(scope="module")
def workers(stack: Mapping[str, str]) -> Iterator[Workers]:
    """Those who work on scans."""
    workers = Workers(stack)
    workers.start()
    try:
        yield workers
    finally:
        workers.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alerts(
    stack: Mapping[str, str], workers: Workers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    """Prometheus, which has scraped everything."""
    async with watched(tmp_path_factory.mktemp("prometheus"), stack, workers) as watching:
        await watching.server.scraped(4)
        yield watching


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Mapping[str, str]) -> AsyncIterator[Phone]:
    tokens = Tokens(Secrets.load_or_create(Path(stack["VAR"]) / "secrets").signing_key)
    async with http_client(base_url=stack["ECO2_REST_URL"], timeout=40) as http:
        yield Phone(http, tokens.issue("somebody"))


# Told after events that don't happen here: nobody signs in, no webhook is ordered, no photo is looked at offline.
UNTOLD = {
    "eco2_classifier_confidence_bucket",
    "eco2_sign_in_ended_total",
    "eco2_webhook_delivery_duration_seconds_bucket",
    "eco2_webhook_delivery_duration_seconds_count",
}


async def scan(phone: Phone) -> str:
    """A new scan of a photo that nobody has seen, on its way."""
    return await phone.started(next(_PHOTOS))


async def test_prometheus_takes_every_expression(alerts: Watched) -> None:
    """Those of the rules and of the dashboards, by its own parser and engine."""
    for expression in promql.expressions():
        await alerts.server.query(expression.text)
    assert [rule["name"] for rule in await alerts.server.rules() if rule["health"] == "err"] == []


async def test_nobody_is_told_anything_while_all_is_well(alerts: Watched, phone: Phone, model: PaidModel) -> None:
    """How fast it goes is this machine's matter, where a second stands for a minute; all else has to be quiet."""
    for _ in range(8):
        assert (await phone.finished(await scan(phone)))["state"] == "STATE_SUCCEEDED"
    await alerts.evaluated(times=15)
    slow = {
        "Eco2CreateLatencyBudgetBurn",
        "Eco2EventLoopLag",
        "Eco2JobsLate",
        "Eco2QueueFreshnessBudgetBurn",
        "Eco2QueueStalled",
        "Eco2ScanOverheadBudgetBurn",
        "Eco2WatchFreshnessBudgetBurn",
    }
    assert set(await alerts.server.firing()) - slow == set()


async def test_workers_die(alerts: Watched, workers: Workers, phone: Phone, model: PaidModel) -> None:
    """One of two, with scans in hand; then the other one, too, and nobody is left."""
    model.going.clear()
    for _ in range(16):
        await scan(phone)
    await alerts.tells('eco2_worker_jobs{pod="worker-1", eco2_job_kind="scan"} > 4')
    workers.kill("worker-1")
    await alerts.fires("Eco2WorkersLost", "Eco2TargetDown")

    workers.kill("worker-2")
    await phone.call("POST", "/v1/me:export", {})
    for _ in range(3):  # twenty in all are always taken
        await scan(phone)
    await alerts.fires(
        "Eco2JobsLate",
        "Eco2NoWorkers",
        "Eco2QueueFreshnessBudgetBurn",
        "Eco2QueueStalled",
        "Eco2ScansRefused",
        meanwhile=lambda: phone.call("POST", "/v1/scans", {"image_url": "https://example.com/a.jpg"}),
    )
    model.going.set()
    workers.start()
    await alerts.clears("Eco2JobsLate", "Eco2NoWorkers", "Eco2QueueStalled", "Eco2ScansRefused", "Eco2TargetDown")
    await alerts.clears("Eco2WorkersLost")


async def test_redis_stops(alerts: Watched, phone: Phone) -> None:
    """Users notice nothing; limits are each edge's own."""
    with alerts.frozen("valkey"):
        await alerts.fires(
            "Eco2RedisBreakerOpen",
            "Eco2RateLimitsNotShared",
            meanwhile=lambda: phone.call(
                "POST", "/v1/scans/0197aaaa-0000-7000-8000-000000000000:answer", {"text": "a"}
            ),
        )
    await alerts.clears("Eco2RedisBreakerOpen", "Eco2RateLimitsNotShared")


async def test_postgres_stops(alerts: Watched, phone: Phone) -> None:
    """Users are told 503: at the edge, and by gRPC's code."""
    with alerts.frozen("postgres"):
        await alerts.fires(
            "Eco2DependencyDown",
            "Eco2EdgeAvailabilityBudgetBurn",
            "Eco2RpcAvailabilityBudgetBurn",
            meanwhile=lambda: phone.call("GET", "/v1/scans"),
        )
    await alerts.clears("Eco2DependencyDown")


async def test_the_services_stop(alerts: Watched, workers: Workers) -> None:
    """They hold their connections and answer nothing."""
    with alerts.frozen("eco2-1"), workers.frozen():
        await alerts.fires("Eco2TargetDown", "Eco2UpstreamDown", "Eco2QueueUnmeasured")
    await alerts.clears("Eco2UpstreamDown", "Eco2QueueUnmeasured")


async def test_the_edge_stops(alerts: Watched) -> None:
    """Nobody can call anything."""
    with alerts.frozen("envoy"):
        await alerts.fires("Eco2EdgeDown")
    await alerts.clears("Eco2EdgeDown")


async def test_the_model_fails(alerts: Watched, phone: Phone, model: PaidModel) -> None:
    """Nobody looks at photos in its place, and scans have one try."""
    model.usual = behaviour.failing(500)
    await alerts.fires(
        "Eco2DeadLettersGrow", "Eco2ModelErrors", "Eco2ScanSuccessBudgetBurn", meanwhile=lambda: scan(phone)
    )
    model.usual = behaviour.OBEDIENT
    await alerts.clears("Eco2DeadLettersGrow", "Eco2ModelErrors")


async def test_the_budget_is_nearly_spent(alerts: Watched, stack: Mapping[str, str]) -> None:
    """By replies, as the books say; then they are corrected."""
    books = await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    try:
        await books.execute("insert into scan.reply_cost (user_id, micro_usd) values ('somebody', 950000)")
        await alerts.fires("Eco2BudgetNearlySpent")
        await books.execute("delete from scan.reply_cost where micro_usd = 950000")
        await alerts.clears("Eco2BudgetNearlySpent")
    finally:
        await books.close()


async def test_every_series_is_there_with_its_labels(alerts: Watched) -> None:
    """What the rules and the dashboards ask for is what the processes and Envoy really tell."""
    missing = []
    for series in sorted({name for each in promql.expressions() for name in promql.series(each.text)} - UNTOLD):
        samples = await alerts.server.query(series)
        told = {label for sample in samples for label in sample.labels}
        missing += [series] if not samples else [f"{series}: {label}" for label in labels(series) - told]
    assert missing == [], "\n".join(missing)


async def test_nobody_is_called_any_more(alerts: Watched) -> None:
    """All is mended. Tickets on budgets stay for hours, which are minutes here: what was spent is spent."""
    await alerts.clears(*await alerts.names(), severity="page")
