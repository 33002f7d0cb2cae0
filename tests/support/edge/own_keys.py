"""An edge that takes Auth's keys, as in the chart, instead of the test's."""

from typing import Any


def fetching(configuration: dict[str, Any]) -> None:
    """The edge takes its keys from Auth, through itself, as in the chart but more often."""
    listener = configuration["static_resources"]["listeners"][0]
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    (tokens,) = (each for each in filters if each["name"] == "envoy.filters.http.jwt_authn")
    port = listener["address"]["socket_address"]["port_value"]
    for provider in tokens["typed_config"]["providers"].values():
        del provider["local_jwks"]
        provider["remote_jwks"] = {
            "http_uri": {"uri": f"http://127.0.0.1:{port}/.well-known/jwks.json", "cluster": "edge", "timeout": "2s"},
            "cache_duration": "0.3s",
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "0.1s"},
        }
