"""The statistics that could lie."""

import asyncio

import pytest

from bench.mesh.load import Refused, arrivals, closed_loop, milliseconds, open_loop, percentile


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_a_value_that_occurred(percent: float, expected: float) -> None:
    assert percentile(range(100, 0, -1), percent) == expected


def test_a_single_outlier_in_a_hundred_is_above_p99() -> None:
    figures = milliseconds([0.001] * 99 + [1.0])
    assert figures["p99_ms"] == pytest.approx(1)
    assert figures["max_ms"] == pytest.approx(1000)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


async def test_an_open_loop_counts_from_the_moment_a_request_was_meant_to_be_sent() -> None:
    """A stalled server must not hide the requests it kept from being sent."""
    clock = Clock()

    async def send(number: int) -> None:
        if number == 0:
            clock.now += 0.020

    sample = await open_loop(send, [0.0, 0.002, 0.004], clock)
    assert sample.latencies == pytest.approx([0.020, 0.018, 0.016])


async def test_an_open_loop_does_not_wait_for_answers() -> None:
    third = asyncio.Event()

    async def send(number: int) -> None:
        third.set() if number == 2 else await third.wait()

    sample = await open_loop(send, [0.0, 0.001, 0.002])
    assert len(sample.latencies) == 3


async def test_a_closed_loop_counts_what_was_answered_in_time_and_observes_the_rest() -> None:
    clock = Clock()

    async def send() -> None:
        clock.now += 0.4

    sample = await closed_loop([send], 1.0, clock)
    assert (len(sample.latencies), sample.done_in_time, sample.rate) == (3, 2, 2.0)


async def test_failures_are_counted_and_have_no_latency() -> None:
    clock = Clock()

    async def send() -> None:
        clock.now += 0.5
        if clock.now > 0.5:
            raise Refused("HTTP 503")

    sample = await closed_loop([send], 1.0, clock)
    assert sample.errors == {"HTTP 503": 1}
    assert sample.success == 0.5
    assert len(sample.latencies) == 1


def test_arrivals_come_at_the_rate_and_in_order() -> None:
    moments = arrivals(100, 100)
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    assert (moments[1:] >= moments[:-1]).all()
    assert moments[-1] < 100
