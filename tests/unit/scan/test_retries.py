"""Whether a stage that failed is tried again, and when."""

import pytest

from mesh.errors import DeadlineExceeded, EcoError, Internal, InvalidArgument, ResourceExhausted, Unavailable
from mesh.reasons import Reason
from scan_svc.pipeline.retries import Retry, Tries, next_try

FIRST = Tries(made=1, most=3, age=10.0, seconds_left=290.0)
LAST = Tries(made=3, most=3, age=10.0, seconds_left=290.0)
FAULT = Internal(Reason.INTERNAL, trace_id="")
PEER_AWAY = Unavailable(Reason.UNAVAILABLE, peer="vision", retry_after=1.0)
STORE_AWAY = Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.0)
SPENT = ResourceExhausted(Reason.MODEL_BUDGET_SPENT, retry_after=3600.0)


def retry(error: EcoError, tries: Tries) -> Retry:
    found = next_try(error, tries, backoff_seconds=2.0)
    assert found
    return found


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        pytest.param(InvalidArgument(Reason.INVALID_FIELD), FIRST, id="the request is at fault"),
        pytest.param(DeadlineExceeded(Reason.SCAN_TIMED_OUT, seconds=300), FIRST, id="the scan's time is up"),
        pytest.param(SPENT, FIRST, id="the peer asks to wait until after the scan's end"),
        pytest.param(FAULT, LAST, id="the tries are spent"),
    ],
)
def test_there_is_no_other_try(error: EcoError, tries: Tries) -> None:
    """The scan has failed."""
    assert next_try(error, tries, backoff_seconds=2.0) is None


def test_a_pause_grows_and_respects_what_the_peer_asks_for() -> None:
    """Jitter makes it any time up to the limit, which doubles with every try."""
    second = Tries(made=2, most=3, age=10.0, seconds_left=290.0)
    assert all(0 <= retry(FAULT, FIRST).delay <= 2 for _ in range(50))
    assert any(2 < retry(FAULT, second).delay <= 4 for _ in range(200))
    assert all(retry(PEER_AWAY, FIRST).delay >= 1 for _ in range(50))
    assert retry(PEER_AWAY, FIRST).counts


@pytest.mark.parametrize("tries", [FIRST, LAST])
def test_an_outage_of_a_store_costs_time_and_no_try(tries: Tries) -> None:
    """It is nobody's fault, and in time it will be over."""
    assert not retry(STORE_AWAY, tries).counts
    assert all(1 <= retry(STORE_AWAY, tries).delay <= 8 for _ in range(50))
