"""The edge's spans: what envoy/edge.yaml is filled with so that they go where the services' go.

By OpenTelemetry's variables, as the services read them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from local.errors import Misuse

FOLDER = Path(__file__).resolve().parents[2] / "envoy" / "telemetry"

_ENDPOINT, _SAMPLER = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER"
_PORT = 4317


def placeholders(environment: Mapping[str, str]) -> Mapping[str, str]:
    """What the template's TRACING stands for: nothing where nobody receives spans.

    Raises:
        Misuse: The share of traces to keep is no number from 0 to 1.
    """
    if not environment.get(_ENDPOINT):
        return {"TRACING": "null"}
    return {"TRACING": _filled("tracing.json", PERCENT=_percent(environment))}


def cluster(environment: Mapping[str, str]) -> str:
    """One more entry of `clusters`, the template's last key; empty where nobody receives spans.

    Raises:
        Misuse: The address is none, or has TLS, which the edge doesn't speak to a collector.
    """
    if not (endpoint := environment.get(_ENDPOINT)):
        return ""
    try:
        address = urlsplit(endpoint)
        host, port = address.hostname, address.port or _PORT  # asking for the port reads it
    except ValueError:
        host = None
    if not host or address.scheme != "http":
        raise Misuse(f"{_ENDPOINT}: the edge sends its spans to http://host:port alone")
    return f"    - {_filled('cluster.json', HOST=host, PORT=port)}\n"


def _filled(name: str, **values: object) -> str:
    """A file's JSON on one line, as YAML takes it anywhere."""
    text = Template((FOLDER / name).read_text(encoding="utf-8")).substitute(values)
    return json.dumps(json.loads(text))


def _percent(environment: Mapping[str, str]) -> float:
    """Of the requests that nobody has decided on before."""
    sampler = environment.get(_SAMPLER, "")
    if sampler.endswith("traceidratio"):
        share = environment.get(f"{_SAMPLER}_ARG") or "1"
        try:
            kept = float(share)
        except ValueError:
            kept = -1.0
        if not 0 <= kept <= 1:
            raise Misuse(f"{_SAMPLER}_ARG: it is a number from 0 to 1")
        return 100 * kept
    return 0.0 if sampler.endswith("always_off") else 100.0
