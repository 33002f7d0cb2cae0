"""The table of limits, and what may differ from it."""

import pytest
from pydantic import ValidationError

from local.stack.limits import for_one_machine
from ratelimit_svc.limits import LEAST_AT_THE_EDGE, UnusableLimits, load_limits
from ratelimit_svc.settings import RateLimitSettings
from tests.support.edge.rest_contract import bindings

# Small, need no token, and are fetched by whoever checks tokens or shows a page: what every call is limited by will do.
UNCOUNTED = {"eco2.auth.v1.AuthService/GetKeys", "eco2.auth.v1.AuthService/ListProviders"}


def test_every_public_rpc_has_a_limit() -> None:
    """A new one is given its own, or it is only limited with all others of its caller's address."""
    listed = [rpc for limit in load_limits().values() for rpc in limit.rpcs if not rpc.startswith("grpc.reflection.")]
    public = {"/".join(binding.rpc.rsplit(".", 1)) for binding in bindings()}

    assert len(listed) == len(set(listed))
    assert {*listed, *UNCOUNTED} == public


def test_what_the_edge_counts_alone_refills_each_second() -> None:
    """Its Retry-After is always a second."""
    numbers = {
        number
        for limit in load_limits().values()
        if not limit.shared
        for number in (limit.user, limit.address)
        if number is not None
    }
    assert min(numbers) >= LEAST_AT_THE_EDGE


def test_single_numbers_may_differ() -> None:
    """All else stays as the table says."""
    changed = load_limits({"create": {"user": 5}, "any": {"address": 70}})

    assert (changed["create"].user, changed["create"].address) == (5, load_limits()["create"].address)
    assert changed["any"].address == 70


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"creat": {"user": 5}}, "there is no limit creat"),
        ({"guest": {"user": 5}}, "guest isn't counted by user"),
        ({"create": {"users": 5}}, "create isn't counted by users"),
        ({"create": {"user": 0}}, "create.user is at least 1"),
        ({"read": {"user": 59}}, "read.user is at least 60"),
        ({"without_token": {"address": -1}}, "without_token.address is at least 60"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(changes: dict[str, dict[str, int]], told: str) -> None:
    """Or an operator would believe in a limit that isn't there."""
    with pytest.raises(UnusableLimits, match=told):
        load_limits(changes)
    with pytest.raises(ValidationError, match=told):
        RateLimitSettings(redis_url="redis://127.0.0.1:9/0", limits=changes)


def test_on_one_machine_only_users_are_counted() -> None:
    """All of them call from one address; what the environment says goes first."""
    changes = for_one_machine({"create": {"user": 5}, "guest": {"address": 7}})
    limits = load_limits(changes)

    assert (limits["create"].user, limits["guest"].address) == (5, 7)
    assert limits["search"].user == load_limits()["search"].user
    assert min(limit.address for name, limit in limits.items() if limit.address and name != "guest") > 10**6
