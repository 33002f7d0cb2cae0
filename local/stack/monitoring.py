"""Where the stack's metrics are: a configuration for a Prometheus that scrapes all of it."""

import json
from collections.abc import Mapping
from pathlib import Path

from local.files import write_private

CONFIGURATION = "prometheus.yaml"
EDGE = "envoy"
_INTERVAL = "5s"


def write_configuration(folder: Path, targets: Mapping[str, str]) -> None:
    """Writes `prometheus.yaml`: `prometheus --config.file=var/prometheus.yaml`, and everything is scraped.

    Args:
        folder: The stack's.
        targets: `host:port` of each process, by its name.
    """
    services = {name: target for name, target in targets.items() if name != EDGE}
    configuration = {
        "global": {"scrape_interval": _INTERVAL, "evaluation_interval": _INTERVAL},
        "scrape_configs": [
            {
                "job_name": "eco2-services",
                "static_configs": [_static(name, target) for name, target in services.items()],
            },
            {
                "job_name": "eco2-edge",
                "metrics_path": "/stats/prometheus",
                "static_configs": [_static(EDGE, targets[EDGE])] if EDGE in targets else [],
            },
        ],
    }
    write_private(folder / CONFIGURATION, json.dumps(configuration, indent=1) + "\n")  # JSON is YAML


def targets_of(variables: Mapping[str, str]) -> Mapping[str, str]:
    """The targets that an address file names."""
    return dict(entry.split("=", 1) for entry in variables.get("ECO2_METRICS_TARGETS", "").split(",") if entry)


def _static(name: str, target: str) -> Mapping[str, object]:
    return {"targets": [target], "labels": {"pod": name}}
