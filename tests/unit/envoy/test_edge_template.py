"""What the edge's template promises to whoever fills it in and to whoever reads its errors."""

import base64
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from google.rpc import error_details_pb2 as error_details_pb2  # ParseDict finds the details' types
from google.rpc import status_pb2

from mesh.grpc.status import DOMAIN
from mesh.locale import Locale
from mesh.reasons import Reason

TEMPLATE = Template((Path(__file__).parents[3] / "envoy" / "edge.yaml").read_text(encoding="utf-8"))
PLACEHOLDERS = {
    *(
        "REST_HOST",
        "REST_PORT",
        "ADMIN_PORT",
        "METRICS_HOST",
        "METRICS_PORT",
        "DESCRIPTOR_PATH",
        "LUA_PATH",
        "MAX_HEAP_BYTES",
    ),
    *("OPENAPI_PATH", "REFERENCE_PATH"),
    *("APP_PATH", "APP_VERSION", "APP_ROUTES", "PHOTO_ORIGINS", "UPLOAD_ORIGINS"),
    *("SCAN_ENDPOINTS", "RULES_ENDPOINTS", "CHARACTER_ENDPOINTS", "AUTH_ENDPOINTS"),
    *("SCAN_TLS", "RULES_TLS", "CHARACTER_TLS", "AUTH_TLS", "RATELIMIT_TLS"),
    *("RATELIMIT_ENDPOINTS", "ADDRESS_LIMITS", "RPC_LIMITS", "SHARES", "ASKED_RPCS", "TRUSTED_HOPS", "TRACING"),
    *("LOCAL_JWKS", "REMOTE_JWKS", "JWT_ISSUER", "JWT_AUDIENCE", "CORS_ORIGINS"),
}


@pytest.fixture(scope="module")
def edge() -> dict[str, Any]:
    """The template as YAML, every placeholder a number."""
    return yaml.safe_load(TEMPLATE.substitute(dict.fromkeys(PLACEHOLDERS, "1")))


@pytest.fixture(scope="module")
def manager(edge: dict[str, Any]) -> dict[str, Any]:
    """The HTTP connection manager: where everything happens."""
    listener = edge["static_resources"]["listeners"][0]
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


def test_a_routes_transcoder_differs_in_what_it_is_there_for(manager: dict[str, Any]) -> None:
    """A route's transcoder settings replace the filter's, so they are written twice and must agree."""
    name = "envoy.filters.http.grpc_json_transcoder"
    (usual,) = (each["typed_config"] for each in manager["http_filters"] if each["name"] == name)
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    settings = [route.get("typed_per_filter_config", {}) for route in routes]
    overrides = [filters[name] for filters in settings if name in filters]
    events, older = (override for override in overrides if "services" in override)

    # The service frames its events itself, so the transcoder is told of no framing there.
    assert events == usual | {
        "services": ["eco2.scan.v1.EventStreamService", "eco2.jobs.v1.JobEventsService"],
        "print_options": {"preserve_proto_field_names": True},
    }
    strict = usual["request_validation_options"]
    assert older == events | {
        "services": ["eco2.compat.v1.CompatService"],
        "ignore_unknown_query_parameters": True,
        "request_validation_options": {
            name: value for name, value in strict.items() if name != "reject_unknown_query_parameters"
        },
    }


def test_every_own_error_has_a_known_reason_and_both_languages(manager: dict[str, Any]) -> None:
    """The edge's errors are part of the same contract as the services'."""
    bodies = [body for _, body in replies(manager)]
    assert bodies
    for body in bodies:
        info, *others = body["details"]
        locales = [detail["locale"] for detail in others if "locale" in detail]

        assert info["domain"] == DOMAIN
        assert info["reason"] in Reason.__members__
        assert locales == list(Locale)


def test_envoys_own_words_reach_only_those_whose_request_cannot_be_read(manager: dict[str, Any]) -> None:
    """What the transcoder says of a field helps a developer; addresses, keys and clusters are nobody's business."""
    with_envoys_words = {body["details"][0]["reason"] for _, body in replies(manager) if "%" in body["message"]}

    assert with_envoys_words == {"INVALID_FIELD"}


def test_grpc_clients_get_the_same_errors(manager: dict[str, Any]) -> None:
    """In trailers instead of a body, so the Status stands there a second time, in base64."""
    of_grpc = [(mapper, body) for mapper, body in replies(manager) if mapper]
    assert of_grpc
    for mapper, body in of_grpc:
        headers = {each["header"]["key"]: each["header"]["value"] for each in mapper["headers_to_add"]}
        message = headers["grpc-message"]
        details = [{**detail, "metadata": constant(detail.get("metadata", {}))} for detail in body["details"][:1]]
        status = {"code": body["code"], "message": message, "details": [*details, *body["details"][1:]]}
        packed = json_format.ParseDict(status, status_pb2.Status()).SerializeToString(deterministic=True)

        assert body["message"] in (message, "The request can't be read. %LOCAL_REPLY_BODY%")
        assert headers == {
            "grpc-status": str(body["code"]),
            "grpc-message": message,
            "grpc-status-details-bin": base64.b64encode(packed).decode().rstrip("="),
        }


def replies(manager: dict[str, Any]) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """The mapper for gRPC clients, where there is one, and the body for the others, by kind of error."""
    of_grpc = None
    for mapper in manager["local_reply_config"]["mappers"]:
        form = mapper["body_format_override"]
        if "json_format" in form:
            yield of_grpc, form["json_format"]
            of_grpc = None
        else:
            of_grpc = mapper


def constant(metadata: dict[str, str]) -> dict[str, str]:
    """What doesn't differ by request."""
    return {name: value for name, value in metadata.items() if "%" not in value}
