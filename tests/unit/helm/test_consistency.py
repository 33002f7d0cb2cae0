"""What valid objects get wrong together is told; each case differs from a consistent release by one thing."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from helm.consistency import faults

LABELS = {"app": "scan"}
POD = {
    "serviceAccountName": "scan",
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "scan",
            "env": [{"name": "A", "value": "1"}],
            "ports": [{"name": "grpc", "containerPort": 50051}],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
Release = dict[str, dict[str, Any]]


def made(kind: str, spec: Any, name: str = "scan", **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "eco2", **metadata}, "spec": spec}


def release() -> Release:
    """A consistent one, its objects by their kind."""
    template = {"metadata": {"labels": LABELS}, "spec": deepcopy(POD)}
    selector = {"matchLabels": dict(LABELS)}
    early = deepcopy(POD) | {"serviceAccountName": "default"}
    job = {"template": {"metadata": {"labels": {"app": "migration"}}, "spec": early}}
    return {
        "ServiceAccount": made("ServiceAccount", {}),
        "Service": made("Service", {"selector": dict(LABELS), "ports": [{"targetPort": "grpc"}]}),
        "Deployment": made("Deployment", {"replicas": 2, "selector": selector, "template": template}),
        "NetworkPolicy": made("NetworkPolicy", {"podSelector": deepcopy(selector)}),
        "Job": made("Job", job, "migration", annotations={"helm.sh/hook": "pre-install,pre-upgrade"}),
    }


def told(of: Release) -> list[str]:
    return list(faults(list(of.values())))


def test_a_consistent_release_has_no_faults() -> None:
    assert told(release()) == []


def _scaled(of: Release) -> None:
    of["HorizontalPodAutoscaler"] = made("HorizontalPodAutoscaler", {"scaleTargetRef": {"name": "scan"}})


def _scaled_twice(of: Release) -> None:
    del of["Deployment"]["spec"]["replicas"]
    _scaled(of)
    of["ScaledObject"] = made("ScaledObject", {"scaleTargetRef": {"name": "scan"}})


def _scaling_nothing(of: Release) -> None:
    of["ScaledObject"] = made("ScaledObject", {"scaleTargetRef": {"name": "worker"}})


def _unscaled(of: Release) -> None:
    del of["Deployment"]["spec"]["replicas"]


def _twice(of: Release) -> None:
    of["another"] = deepcopy(of["Service"])


def _one_variable_twice(of: Release) -> None:
    of["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"] *= 2


def _long(of: Release) -> None:
    of["Service"]["metadata"]["name"] = "a" * 64


def _large(of: Release) -> None:
    of["ConfigMap"] = made("ConfigMap", {}) | {"data": {"a": "a" * (1 << 20), "b": "b"}}


def _elsewhere(of: Release) -> None:
    of["Service"]["metadata"]["namespace"] = "default"


def _misspelt_selector(of: Release) -> None:
    of["Service"]["spec"]["selector"] = {"app": "scna"}


def _misspelt_port(of: Release) -> None:
    of["Service"]["spec"]["ports"][0]["targetPort"] = "http"


def _no_metrics(of: Release) -> None:
    monitor = {"selector": {"matchLabels": dict(LABELS)}, "podMetricsEndpoints": [{"port": "metrics"}]}
    of["PodMonitor"] = made("PodMonitor", monitor)


def _no_account(of: Release) -> None:
    of["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] = "photos"


def _open(of: Release) -> None:
    of["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] = {"app": "migration"}


def _early_without_account(of: Release) -> None:
    of["Job"]["spec"]["template"]["spec"]["serviceAccountName"] = "scan"


def _early_without_secret(of: Release) -> None:
    variable = {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": "url"}}}
    of["Job"]["spec"]["template"]["spec"]["containers"][0]["env"] = [variable]
    of["ExternalSecret"] = made("ExternalSecret", {"target": {"name": "database"}})


def _root(of: Release) -> None:
    of["Job"]["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] = False


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_scaled, "Deployment scan: 2 write its replicas"),
        (_scaled_twice, "Deployment scan: 2 write its replicas"),
        (_scaling_nothing, "there is no Deployment worker to scale"),
        (_unscaled, "Deployment scan: 0 write its replicas"),
        (_twice, "Service scan is there 2 times"),
        (_one_variable_twice, "Deployment scan: A is given 2 times"),
        (_long, f"Service {'a' * 64}: the name has 64 characters"),
        (_large, "ConfigMap scan holds more than 1 MiB"),
        (_elsewhere, "objects of one release are in several namespaces: ['default', 'eco2']"),
        (_misspelt_selector, "Service scan selects no pod"),
        (_misspelt_port, "Service scan: no pod of it has a port called http"),
        (_no_metrics, "Deployment scan has no port called metrics"),
        (_no_account, "there are no ServiceAccounts ['photos']"),
        (_open, "Deployment scan has no network policy"),
        (_early_without_account, "Job migration runs before ServiceAccount scan"),
        (_early_without_secret, "Job migration runs before ExternalSecret database"),
        (_root, "Job migration: container scan: runAsNonRoot isn't true"),
    ],
)
def test_each_inconsistency_is_told(change: Callable[[Release], None], text: str) -> None:
    changed = release()
    change(changed)

    assert text in told(changed)
