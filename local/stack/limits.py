"""The table of limits as the edge's configuration wants it: Envoy's token buckets, one for each user or address."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from local.errors import CannotStart
from ratelimit_svc.limits import LEAST_AT_THE_EDGE, WINDOW_SECONDS, Changes, Limit, UnusableLimits, load_limits

_ADDRESS = "masked_remote_address"
# Shared limits are counted elsewhere. The edge alone lets more through, and holds while nobody counts for all edges.
_FRONT = 2
# The first twentieth of a shared limit each edge lets through without asking: most users never come further.
_SHARE = 20
# What the edge notes of a call that is beyond that; clients can't send it.
_BEYOND = "eco2-beyond-share"
_OUT_OF_REACH = 1_000_000_000


def given() -> Changes:
    """What differs from the table of limits here.

    Raises:
        CannotStart: What the environment says can't be used.
    """
    try:
        found = msgspec.json.decode(os.environ.get("ECO2_LIMITS") or "{}", type=dict[str, dict[str, int]])
        load_limits(found)
    except (msgspec.DecodeError, UnusableLimits) as error:
        raise CannotStart(f"ECO2_LIMITS: {error}") from None
    return for_one_machine(found)


def for_one_machine(changes: Changes | None = None) -> dict[str, dict[str, int]]:
    """What differs from the table where all users call from one address: its limits are out of reach, the users' stay.

    Args:
        changes: What is to differ besides.
    """
    counted = {name: {"address": _OUT_OF_REACH} for name, limit in load_limits().items() if limit.address is not None}
    given = changes or {}
    return {name: {**counted.get(name, {}), **given.get(name, {})} for name in {**counted, **given}}


def placeholders(limits: Mapping[str, Limit]) -> dict[str, str]:
    """What the template's placeholders for limits stand for."""
    by_address = [
        _bucket(limits["any"].address, (_ADDRESS, "")),
        _bucket(limits["without_token"].address, ("token", "none"), (_ADDRESS, "")),
    ]
    shared = [limit for limit in limits.values() if limit.shared]
    return {
        "ADDRESS_LIMITS": json.dumps(by_address),
        "RPC_LIMITS": json.dumps([bucket for limit in limits.values() for bucket in _buckets(limit, _alone)]),
        "SHARES": json.dumps([bucket for limit in filter(_has_share, shared) for bucket in _buckets(limit, _share)]),
        "ASKED_RPCS": json.dumps([_asked(rpc, limit) for limit in shared for rpc in limit.rpcs]),
    }


def _buckets(limit: Limit, number: Callable[[Limit, int], int]) -> Iterator[dict[str, Any]]:
    for rpc in limit.rpcs:
        for key, most in (("user", limit.user), (_ADDRESS, limit.address)):
            if most is not None:
                yield _bucket(number(limit, most), ("rpc", f"/{rpc}"), (key, ""))


def _alone(limit: Limit, most: int) -> int:
    """How many calls the edge lets through whatever others say."""
    return max(LEAST_AT_THE_EDGE, _FRONT * most) if limit.shared else most


def _share(_: Limit, most: int) -> int:
    """How many of a shared limit it lets through without asking."""
    return most // _SHARE


def _has_share(limit: Limit) -> bool:
    """Whether that is a call at least for each subject that is counted."""
    return all(most // _SHARE for most in (limit.user, limit.address) if most is not None)


def _bucket(most: int | None, *entries: tuple[str, str]) -> dict[str, Any]:
    """A token bucket; an entry without a value stands for any, with a bucket for each."""
    return {
        "entries": [{"key": key, "value": value} if value else {"key": key} for key, value in entries],
        "token_bucket": {"max_tokens": most, "tokens_per_fill": most, "fill_interval": f"{WINDOW_SECONDS}s"},
    }


def _asked(rpc: str, limit: Limit) -> dict[str, Any]:
    """A predicate of Envoy's matchers: it is a call of this RPC that others have to count."""
    called = _header_is(":path", f"/{rpc}")
    return {"and_matcher": {"predicate": [called, _header_is(_BEYOND, "true")]}} if _has_share(limit) else called


def _header_is(name: str, value: str) -> dict[str, Any]:
    header = {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": name}
    return {"single_predicate": {"input": {"name": "header", "typed_config": header}, "value_match": {"exact": value}}}
