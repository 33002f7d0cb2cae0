"""What the edge is told of spans, by OpenTelemetry's variables."""

import pytest

from local.errors import Misuse
from local.stack import edge_tracing


@pytest.mark.parametrize(
    "endpoint", ["https://collector:4317", "collector:4317", "http://", "http://collector:x", "http://[::1"]
)
def test_an_endpoint_that_the_edge_cant_use_is_told(endpoint: str) -> None:
    """By the variable's name."""
    with pytest.raises(Misuse, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        edge_tracing.cluster({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})


@pytest.mark.parametrize("share", ["half", "-0.1", "1.1", "nan"])
def test_a_share_that_is_none_is_told(share: str) -> None:
    """By the variable's name, rather than by an edge that doesn't start."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
    }
    with pytest.raises(Misuse, match="OTEL_TRACES_SAMPLER_ARG"):
        edge_tracing.placeholders(variables)
