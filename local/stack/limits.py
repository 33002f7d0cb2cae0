"""The table of limits as the edge's configuration wants it: Envoy's token buckets, one for each user or address."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from local.errors import CannotStart
from ratelimit_svc.limits import LEAST_AT_THE_EDGE, WINDOW_SECONDS, Changes, Limit, UnusableLimits, load_limits

_ADDRESS = "masked_remote_address"
# Shared limits are counted elsewhere. The edge alone lets more through, and holds while nobody counts for all edges.
_FRONT = 2
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
    return {
        "ADDRESS_LIMITS": json.dumps(by_address),
        "RPC_LIMITS": json.dumps([bucket for limit in limits.values() for bucket in _buckets(limit)]),
        "SHARED_RPCS": json.dumps([_is(rpc) for limit in limits.values() if limit.shared for rpc in limit.rpcs]),
    }


def _buckets(limit: Limit) -> Iterator[dict[str, Any]]:
    for rpc in limit.rpcs:
        for key, most in (("user", limit.user), (_ADDRESS, limit.address)):
            if most is not None:
                number = max(LEAST_AT_THE_EDGE, _FRONT * most) if limit.shared else most
                yield _bucket(number, ("rpc", f"/{rpc}"), (key, ""))


def _bucket(most: int | None, *entries: tuple[str, str]) -> dict[str, Any]:
    """A token bucket; an entry without a value stands for any, with a bucket for each."""
    return {
        "entries": [{"key": key, "value": value} if value else {"key": key} for key, value in entries],
        "token_bucket": {"max_tokens": most, "tokens_per_fill": most, "fill_interval": f"{WINDOW_SECONDS}s"},
    }


def _is(rpc: str) -> dict[str, Any]:
    """A predicate of Envoy's matchers: it is this RPC."""
    path = {
        "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        "header_name": ":path",
    }
    return {"single_predicate": {"input": {"name": "path", "typed_config": path}, "value_match": {"exact": f"/{rpc}"}}}
