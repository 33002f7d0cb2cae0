"""What the edge's template promises to whoever fills it in and to whoever reads its errors."""

from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from mesh.errors import Reason
from mesh.locale import Locale
from mesh.status import DOMAIN

TEMPLATE = Template((Path(__file__).parents[3] / "envoy" / "edge.yaml").read_text(encoding="utf-8"))
PLACEHOLDERS = {
    *("REST_HOST", "REST_PORT", "ADMIN_PORT", "DESCRIPTOR_PATH"),
    *("SCAN_HOST", "SCAN_PORT", "RULES_HOST", "RULES_PORT", "CHARACTER_HOST", "CHARACTER_PORT"),
    *("JWKS_INLINE", "JWT_ISSUER", "JWT_AUDIENCE"),
}


@pytest.fixture(scope="module")
def edge() -> dict[str, Any]:
    """The template as YAML, every placeholder a number."""
    return yaml.safe_load(TEMPLATE.substitute(dict.fromkeys(PLACEHOLDERS, "1")))


@pytest.fixture(scope="module")
def manager(edge: dict[str, Any]) -> dict[str, Any]:
    """The HTTP connection manager: where everything happens."""
    (listener,) = edge["static_resources"]["listeners"]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def test_placeholders_are_the_agreed_ones() -> None:
    """The embedded stack and the chart both fill them in."""
    assert set(TEMPLATE.get_identifiers()) == PLACEHOLDERS


def test_clusters_come_last(edge: dict[str, Any]) -> None:
    """The chart appends one to the text."""
    assert list(edge)[-1] == "static_resources"
    assert list(edge["static_resources"])[-1] == "clusters"


def test_administration_listens_on_loopback_only(edge: dict[str, Any]) -> None:
    """It can stop the edge and show its configuration."""
    assert edge["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_event_streams_differ_in_the_service_alone(manager: dict[str, Any]) -> None:
    """A route's transcoder settings replace the filter's, so they are written twice and must agree."""
    name = "envoy.filters.http.grpc_json_transcoder"
    (usual,) = (each["typed_config"] for each in manager["http_filters"] if each["name"] == name)
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    overrides = [route["typed_per_filter_config"][name] for route in routes if "typed_per_filter_config" in route]
    (events,) = (override for override in overrides if "services" in override)

    # The service frames its events itself, so the transcoder is told of no framing there.
    assert events == usual | {
        "services": ["eco2.scan.v1.EventStreamService"],
        "print_options": {"preserve_proto_field_names": True},
    }


def test_every_own_error_has_a_known_reason_and_both_languages(manager: dict[str, Any]) -> None:
    """The edge's errors are part of the same contract as the services'."""
    bodies = [each["body_format_override"] for each in manager["local_reply_config"]["mappers"][1:]]
    assert bodies
    for body in bodies:
        info, *others = body["json_format"]["details"]
        locales = [detail["locale"] for detail in others if "locale" in detail]

        assert info["domain"] == DOMAIN
        assert info["reason"] in Reason.__members__
        assert locales == list(Locale)


def test_grpc_clients_keep_their_own_errors(manager: dict[str, Any]) -> None:
    """The first mapper that matches decides: this one takes gRPC out and changes nothing."""
    first = manager["local_reply_config"]["mappers"][0]

    assert list(first) == ["filter"]
