"""docs/metrics.md, written from the metrics that are declared: `python -m all_in_one.metrics_page`."""

from collections.abc import Iterator, Sequence

from all_in_one.metrics import DECLARED
from mesh.observability.metrics import Kind, Metric

_TITLES = {
    "mesh.grpc": "Calls",
    "scan_svc": "Scans",
    "vision_svc": "Photos",
    "mesh.models": "Models",
    "mesh.observability": "Stores, breakers, caches",
    "ratelimit_svc": "Limits",
    "auth_svc": "Signing in",
    "mesh.process": "Processes",
}

_HEAD = """# Metrics

Every metric there is, as the services tell it by OTLP and as their Prometheus endpoints spell it
([how to get at them](operations.md#metrics)). This page is generated (`make gen`) from what the instruments are made
from; `make check` compares them, and `tests/e2e/test_scrape.py` compares the page with what Prometheus found at a
running stack. The edge's own are Envoy's, under Envoy's names.

- Dots become underscores in labels, too: `eco2.stage` is `eco2_stage`.
- A histogram's series end in `_bucket`, `_sum` and `_count`.
- Where all attributes are closed sets, a counter's series begin with 0.
- *Elected*: one Scan process tells it for all. Write `max by (…)`, never `sum` over processes.
- No attribute is an id of anybody or anything.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for package, metrics in DECLARED.items() for line in _section(package, metrics))])


def _section(package: str, metrics: Sequence[Metric]) -> Iterator[str]:
    yield f"## {_TITLES[package]}\n\nCounted by `{package}`.\n"
    for metric in metrics:
        yield from _entry(metric)


def _entry(metric: Metric) -> Iterator[str]:
    yield f"### {metric.name}\n"
    elected = ", elected" if metric.elected else ""
    yield f"`{metric.prometheus}` · {metric.kind}{elected} · `{metric.unit}`\n"
    yield from _wrapped(metric.description)
    yield ""
    for name, values in metric.attributes.items():
        told = values if isinstance(values, str) else ", ".join(f"`{value}`" for value in values)
        yield from _wrapped(f"- `{name}`: {told}", indent="  ")
    if metric.kind is Kind.HISTOGRAM:
        yield from _wrapped(f"- up to {', '.join(f'{limit:g}' for limit in metric.buckets)}", indent="  ")
    if metric.attributes or metric.buckets:
        yield ""


def _wrapped(text: str, indent: str = "", width: int = 120) -> Iterator[str]:
    """Lines that fit; nothing that stands between backticks is broken."""
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = indent + word
        else:
            line = f"{line} {word}" if line else word
    yield line


if __name__ == "__main__":
    print(page(), end="")
