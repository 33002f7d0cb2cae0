"""Metrics on their way out: how Prometheus spells them, and who gets them."""

import errno
import importlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.metrics import NoOpMeter
from prometheus_client.parser import text_string_to_metric_families

from all_in_one.metrics import METRICS
from all_in_one.metrics_page import page
from mesh.observability.instruments import Instruments
from mesh.observability.metering import metering
from mesh.observability.metrics import Kind, Metric
from mesh.settings import Misconfigured
from tests.support.ports import free_port

ROOT = Path(__file__).parents[4]
_JOBS = Metric("eco2.test.jobs", Kind.GAUGE, "{job}", "Jobs.", {"eco2.stage": ("vision", "rules")})
_ENDED = Metric("eco2.test.ended", Kind.COUNTER, "{job}", "Jobs that ended.", {"eco2.stage": ("vision", "rules")})


@pytest.fixture
def address() -> str:
    """Where nobody listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def instruments(address: str) -> Iterator[Instruments]:
    """Those of a process that is scraped."""
    with metering("test", address) as instruments:
        yield instruments


def _scraped(address: str) -> str:
    response = httpx2.get(f"http://{address}/metrics")
    assert response.status_code == 200
    return response.text


def _count(instruments: Instruments, metric: Metric) -> None:
    attributes = {name: values if isinstance(values, str) else values[0] for name, values in metric.attributes.items()}
    if metric.kind is Kind.HISTOGRAM:
        instruments.histogram(metric).record(1, attributes)
    elif metric.kind is Kind.COUNTER:
        instruments.counter(metric).add(1, attributes)
    else:
        instruments.observe(metric, lambda: [(1, attributes)])


def test_prometheus_spells_every_metric_as_the_table_says(instruments: Instruments, address: str) -> None:
    """Alerts and dashboards are written by those names; a wrong one would never fire."""
    for metric in METRICS:
        _count(instruments, metric)
    families = {family.name: family.type for family in text_string_to_metric_families(_scraped(address))}
    kinds = {Kind.UP_DOWN_COUNTER: "gauge"}
    expected = {one.prometheus.removesuffix("_total"): kinds.get(one.kind, one.kind.value) for one in METRICS}
    assert {name: kind for name, kind in families.items() if name != "target_info"} == expected


def test_no_two_metrics_share_a_name() -> None:
    """One of them would be lost."""
    assert len({metric.name for metric in METRICS}) == len({metric.prometheus for metric in METRICS}) == len(METRICS)


def test_instruments_are_made_from_declared_metrics_alone() -> None:
    """What is made elsewhere stands in no table, and nobody knows what it says."""
    made = re.compile(r"create_(observable_)?(counter|histogram|gauge|up_down_counter)|get_meter")
    packages = [ROOT / "mesh", ROOT / "all_in_one", *ROOT.glob("*_svc")]
    sources = {file.relative_to(ROOT).as_posix() for package in packages for file in package.rglob("*.py")
               if made.search(file.read_text("utf-8"))}  # fmt: skip
    assert sources == {"mesh/observability/instruments.py", "mesh/observability/metering.py"}


def test_every_declared_metric_is_in_the_table() -> None:
    """A module that declares some and isn't listed would be missing in docs/metrics.md."""
    declared = {metric.name for package in ("mesh", "scan_svc", "vision_svc", "auth_svc", "ratelimit_svc", "rules_svc")
                for file in (ROOT / package).rglob("*.py") for metric in _declared(file)}  # fmt: skip
    assert declared == {metric.name for metric in METRICS}
    assert page() == (ROOT / "docs" / "metrics.md").read_text("utf-8")


def _declared(file: Path) -> Iterator[Metric]:
    if "Metric(" in file.read_text("utf-8"):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        yield from (value for value in vars(module).values() if isinstance(value, Metric))


def test_a_histogram_has_the_buckets_that_are_declared() -> None:
    """OpenTelemetry's own are milliseconds': of seconds they tell nothing."""
    buckets = {metric.name: list(metric.buckets) for metric in METRICS if metric.kind is Kind.HISTOGRAM}
    assert all(limits and limits == sorted(limits) for limits in buckets.values()), buckets


def test_series_of_closed_sets_begin_with_zero(instruments: Instruments, address: str) -> None:
    """A rate can't see the first event of a series that begins with it."""
    instruments.counter(_ENDED).add(2, {"eco2.stage": "rules"})
    scraped = _scraped(address)
    assert 'eco2_test_ended_total{eco2_stage="vision"} 0.0' in scraped
    assert 'eco2_test_ended_total{eco2_stage="rules"} 2.0' in scraped


def test_several_tell_the_same_metric(instruments: Instruments, address: str) -> None:
    """Services that share a process; a fault of one doesn't silence the others."""

    def broken() -> list[tuple[float, dict[str, str]]]:
        raise RuntimeError("gone")

    instruments.observe(_JOBS, lambda: [(1, {"eco2.stage": "vision"})])
    instruments.observe(_JOBS, broken)
    instruments.observe(_JOBS, lambda: [(2, {"eco2.stage": "rules"})])
    scraped = _scraped(address)
    assert 'eco2_test_jobs{eco2_stage="vision"} 1.0' in scraped
    assert 'eco2_test_jobs{eco2_stage="rules"} 2.0' in scraped


def test_an_address_that_is_taken_is_told(instruments: Instruments, address: str) -> None:
    """A process that nobody can scrape would be missed only in an incident."""
    with pytest.raises(Misconfigured, match="ECO2_METRICS_ADDRESS"), metering("test", address):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "a..b:9464", f"{'a' * 300}:9464"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    """By the setting's name, not by a traceback."""
    with pytest.raises(Misconfigured, match="ECO2_METRICS_ADDRESS"), metering("test", address):
        pass


def test_a_machine_without_ipv6_is_scraped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart says `[::]`, which means every address there is."""

    class Ipv4Alone(socket.socket):
        def bind(self, address: Any, /) -> None:
            if self.family is socket.AF_INET6:
                raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            super().bind(address)

    port = free_port()
    monkeypatch.setattr("socket.socket", Ipv4Alone)
    with metering("test", f"[::]:{port}"):
        _scraped(f"127.0.0.1:{port}")


def test_without_an_address_nothing_is_counted() -> None:
    """Most tests' processes, and whoever wants none."""
    with metering("test", "") as instruments:
        assert not instruments.exporting
        assert type(instruments.counter(_ENDED)) is type(NoOpMeter("").create_counter("x"))
