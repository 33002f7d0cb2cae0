"""Prometheus and the stack, both real: every process is scraped, and what it says is what happened."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from local.stack.monitoring import CONFIGURATION, targets_of
from tests.support import prometheus
from tests.support.prometheus import Prometheus

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scraping(stack: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """A Prometheus that has scraped every process of the suite's stack."""
    folder = tmp_path_factory.mktemp("prometheus")
    async with prometheus.running(folder, Path(stack["VAR"]) / CONFIGURATION) as server:
        await server.scraped(len(targets_of(stack)))
        yield server


async def test_each_process_and_the_edge_are_scraped(scraping: Prometheus, stack: Mapping[str, str]) -> None:
    """What `make up` writes is all that an operator needs to look at the stack."""
    up = {sample.labels["pod"]: sample.value for sample in await scraping.query("up")}
    assert up == dict.fromkeys(targets_of(stack), 1.0)


async def test_the_edges_figures_are_all_that_is_told(stack: Mapping[str, str]) -> None:
    """Behind them is an interface that can stop the edge."""
    address = targets_of(stack)["envoy"]
    async with httpx2.AsyncClient(base_url=f"http://{address}") as http:
        assert "envoy_http_downstream_rq_xx" in (await http.get("/stats/prometheus")).text
        refused = [await http.get(path) for path in ("/", "/stats", "/config_dump", "/stats/prometheus/../../clusters")]
        refused.append(await http.post("/quitquitquit"))
        refused.append(await http.post("/stats/prometheus"))
    assert [answer.status_code for answer in refused] == [404] * len(refused)
