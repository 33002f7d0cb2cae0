"""The edges of the embedded stack, the public one and the operators', in its one Envoy."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.stack import edge_tracing, envoy, limits, operators, page
from local.stack.certificates import Authority
from local.stack.ports import HOST
from local.stack.supervisor import Program
from local.stack.tokens import AUDIENCE, ISSUER
from mesh.grpc.access import EDGE, OPERATORS_EDGE
from ratelimit_svc.limits import Changes, load_limits

_FILES: Mapping[str, str] = {
    "DESCRIPTOR_PATH": str(envoy.DESCRIPTORS),
    "LUA_PATH": str(envoy.LUA),
    "OPENAPI_PATH": str(envoy.DESCRIPTION),
    "REFERENCE_PATH": str(envoy.REFERENCE),
}


@dataclass(frozen=True, slots=True)
class EdgePorts:
    """Where Envoy listens.

    Attributes:
        rest: For users: REST and gRPC.
        operators: For operators.
        admin: Its own administration.
        metrics: Its figures, for Prometheus.
    """

    rest: int
    operators: int
    admin: int
    metrics: int


def program(
    var: Path,
    variables: Mapping[str, str],
    ports: EdgePorts,
    served_at: Mapping[str, Sequence[int]],
    changes: Changes,
    authority: Authority | None,
) -> Program:
    """Both edges.

    Args:
        var: The stack's folder.
        variables: What its address file says.
        ports: Where they listen.
        served_at: The ports of each service.
        changes: What differs from the table of limits.
        authority: Makes their certificates; None where services ask for none.
    """
    if authority:
        upstream = envoy.mutual_tls(var, authority.certify(EDGE))
        operations = operators.upstream(var / "operators", authority.certify(OPERATORS_EDGE))
    else:
        upstream, operations = envoy.plain_text(), "null"
    values = {
        "REST_HOST": HOST,
        "REST_PORT": str(ports.rest),
        "ADMIN_PORT": str(ports.admin),
        "METRICS_HOST": HOST,
        "METRICS_PORT": str(ports.metrics),
        **{f"{name.upper()}_ENDPOINTS": envoy.endpoints(HOST, numbers) for name, numbers in served_at.items()},
        **upstream,
        **_FILES,
        **_tokens(ports.rest),
        **limits.placeholders(load_limits(changes)),
        **page.placeholders(
            photos=variables["ECO2_CDN_BASE_URL"],
            uploads=variables["ECO2_S3_ENDPOINT"],
            places=page.Map.wanted(os.environ),
        ),
        "CORS_ORIGINS": envoy.origins(variables["ECO2_CORS_ORIGINS"].split(",")),
        "TRUSTED_HOPS": "0",
        **edge_tracing.placeholders(os.environ),
        "MAX_HEAP_BYTES": str(envoy.MAX_HEAP_BYTES),
    }
    return envoy.program(
        var,
        admin=variables["ECO2_ENVOY_ADMIN"],
        rest=variables["ECO2_REST_URL"],
        token=variables["ECO2_TOKEN"],
        values=values,
        beside=operators.configuration(values, HOST, ports.operators, operations),
    )


def _tokens(rest_port: int) -> Mapping[str, str]:
    """Which tokens are believed."""
    return {
        "LOCAL_JWKS": "null",
        "REMOTE_JWKS": envoy.own_keys(rest_port),
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
    }
