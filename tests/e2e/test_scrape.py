"""Prometheus and a stack, both real: every process is scraped, and what it says is what is documented."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from all_in_one.metrics import METRICS
from local.stack import background
from local.stack.monitoring import CONFIGURATION, targets_of
from local.standins.openai import behaviour
from local.standins.openai.server import OpenAIStandIn, running
from mesh.observability.metrics import Kind, Metric
from tests.e2e.conftest import Sign, jpeg
from tests.support import prometheus
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus, Sample
from tests.support.stack_folders import stack_folder
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

_SERVICES = '{job="eco2-services"}'
# Prometheus' own, and what OpenTelemetry tells of the process.
_OTHERS = re.compile(r"up|scrape_.*|target_info")
_LABELS_OF_TARGETS = {"__name__", "job", "instance", "pod", "le"}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|user-|u-[0-9a-f]{8}")
# Series of one process: what a Prometheus of a hundred processes can hold easily.
_MOST_SERIES = 3000
_BUDGET = 5.0


@pytest.fixture(scope="module")
def port() -> int:
    """Where the models' stand-in listens."""
    return free_port()


@pytest.fixture(scope="module")
def stack(port: int) -> Iterator[Mapping[str, str]]:
    """A stack whose photos are looked at by a hosted model, and by the offline one where that fails."""
    with stack_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-nobody")
        patch.setenv("ECO2_OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        patch.setenv("ECO2_VISION_CHAIN", "gpt-4.1-mini,offline")
        patch.setenv("ECO2_MODEL_DAILY_USD", str(_BUDGET))
        patch.delenv("ECO2_AUTH_CLIENTS", raising=False)
        with background.running(folder, demo=True) as variables:
            yield {**variables, "VAR": str(folder)}


@pytest.fixture
async def openai(port: int) -> AsyncIterator[OpenAIStandIn]:
    """The models' stand-in."""
    async with running(port=port) as stand_in:
        yield stand_in


@pytest.fixture
async def scraping(stack: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that has scraped every process of the stack."""
    async with prometheus.running(tmp_path, Path(stack["VAR"]) / CONFIGURATION) as server:
        await server.scraped(len(targets_of(stack)))
        yield server


def _photo(shade: int) -> bytes:
    return jpeg(Image.new("RGB", (320, 240), (shade, 90, 160)))


async def _busy_day(stack: Mapping[str, str], sign_in: Sign, openai: OpenAIStandIn) -> None:
    """Whatever is counted happens: a scan as it should go, one whose model fails, one that is given up, a crowd."""
    phone = sign_in()
    hook = {"callback_url": "https://hook.example/done"}
    await phone.rewarded(await phone.started(_photo(10), **hook))
    openai.usual = behaviour.failing(500)
    await phone.finished(await phone.started(_photo(20)))
    given_up = (await phone.create(_photo(30)))["scan"]["scan_id"]
    assert (await phone.call("POST", f"/v1/scans/{given_up}:cancel", {})).status_code == 200
    crowd = [sign_in() for _ in range(40)]
    await asyncio.gather(*(one.call("GET", "/v1/scans") for one in crowd for _ in range(3)))
    openai.usual = behaviour.OBEDIENT
    await _compared(stack)


async def _compared(stack: Mapping[str, str]) -> None:
    """The day's scans are looked at once more by the hosted model, which one of them wasn't seen by."""
    headers = {"Authorization": f"Bearer {stack['ECO2_OPERATOR_TOKEN']}"}
    spec = {"classifier": "gpt-4.1-mini", "from_time": "2020-01-01T00:00:00Z", "scan_count": 5}
    async with http_client(base_url=stack["ECO2_OPERATORS_URL"], headers=headers, timeout=20) as operators:
        path = "/eco2.jobs.v1.ComparisonService/CreateComparison"
        (await operators.post(path, json={"comparison": spec})).raise_for_status()


def _names(metric: Metric) -> set[str]:
    if metric.kind is Kind.HISTOGRAM:
        return {f"{metric.prometheus}{suffix}" for suffix in ("_bucket", "_sum", "_count")}
    return {metric.prometheus}


def _undeclared(sample: Sample, metric: Metric) -> str:
    """What a series says beyond its declaration; empty if nothing."""
    sets = {name.replace(".", "_"): values for name, values in metric.attributes.items()}
    for label, value in sample.labels.items():
        if label in _LABELS_OF_TARGETS:
            continue
        if label not in sets or _ID.search(value) or not (isinstance(sets[label], str) or value in sets[label]):
            return f"{metric.prometheus}: {label}={value}"
    return ""


async def test_what_is_scraped_is_what_is_documented(
    stack: Mapping[str, str], sign_in: Sign, openai: OpenAIStandIn, scraping: Prometheus
) -> None:
    """Every documented metric is there after a busy day, and nothing else; no series bears an id."""
    await _busy_day(stack, sign_in, openai)
    documented = {name: metric for metric in METRICS for name in _names(metric)}

    async def missing() -> set[str]:
        told = await scraping.query(f"count by (__name__) ({_SERVICES})")
        return documented.keys() - {sample.labels["__name__"] for sample in told}

    async def all_there() -> bool:
        return not await missing()

    try:
        await eventually(all_there)
    except TimeoutError:
        pytest.fail(f"never scraped: {sorted(await missing())}")
    samples = [one for one in await scraping.query(_SERVICES) if not _OTHERS.fullmatch(one.labels["__name__"])]
    assert {one.labels["__name__"] for one in samples} == documented.keys()
    undeclared = {_undeclared(one, documented[one.labels["__name__"]]) for one in samples}
    assert undeclared == {""}
    assert len(samples) / (len(targets_of(stack)) - 1) < _MOST_SERIES


async def test_figures_are_what_happened(sign_in: Sign, openai: OpenAIStandIn, scraping: Prometheus) -> None:
    """By the queries that an operator would write, from all processes together."""

    async def total(expression: str) -> float:
        return sum(sample.value for sample in await scraping.query(expression))

    async def figures() -> list[float]:
        return [
            await total('eco2_scan_ended_total{eco2_scan_state="succeeded"}'),
            await total('eco2_scan_ended_total{eco2_scan_state="cancelled"}'),
            await total("eco2_scan_created_total"),
            await total("eco2_scan_overhead_duration_seconds_count"),
        ]

    await scraping.fresh()
    before = await figures()
    phone = sign_in()
    for shade in (110, 120):
        await phone.finished(await phone.started(_photo(shade)))
    given_up = (await phone.create(_photo(130)))["scan"]["scan_id"]
    await phone.call("POST", f"/v1/scans/{given_up}:cancel", {})
    expected = [was + more for was, more in zip(before, (2, 1, 3, 2), strict=True)]

    async def told() -> bool:
        return await figures() == expected

    await eventually(told)
    # One process tells the queue for all.
    assert len(await scraping.query('eco2_queue_jobs{eco2_stage="vision", eco2_job_state="ready"}')) == 1

    async def spent() -> bool:
        return await total("eco2_model_cost_usd_total") > 0 and await total("eco2_model_budget_left_usd") < _BUDGET

    await eventually(spent)


async def test_each_process_and_the_edge_are_scraped(scraping: Prometheus, stack: Mapping[str, str]) -> None:
    """What `make up` writes is all that an operator needs to look at the stack."""
    up = {sample.labels["pod"]: sample.value for sample in await scraping.query("up")}
    assert up == dict.fromkeys(targets_of(stack), 1.0)


async def test_the_edges_figures_are_all_that_is_told(stack: Mapping[str, str]) -> None:
    """Behind them is an interface that can stop the edge."""
    address = targets_of(stack)["envoy"]
    async with http_client(base_url=f"http://{address}") as http:
        assert "envoy_http_downstream_rq_xx" in (await http.get("/stats/prometheus")).text
        refused: list[httpx2.Response] = [
            *[await http.get(path) for path in ("/", "/stats", "/config_dump", "/stats/prometheus/../../clusters")],
            *[await http.post(path) for path in ("/quitquitquit", "/stats/prometheus")],
        ]
    assert [answer.status_code for answer in refused] == [404] * len(refused)
