"""The restricted Pod Security Standard: a pod as the chart makes it keeps it, and each single breach is told."""

from copy import deepcopy
from typing import Any

import pytest

from helm.security import pods, violations

CONTAINER = {
    "name": "scan",
    "ports": [{"name": "grpc", "containerPort": 50051}],
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
POD = {
    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "tls", "secret": {"secretName": "tls"}}],
    "containers": [CONTAINER],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The pod with something of it replaced; a path such as `containers.0.ports`."""
    pod = deepcopy(POD)
    *parents, last = path.split(".")
    place: Any = pod
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    place[last] = value
    return pod


def test_a_pod_as_the_chart_makes_it_keeps_the_standard() -> None:
    assert list(violations({}, POD)) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("hostNetwork", True, "hostNetwork is true"),
        ("hostPID", True, "hostPID is true"),
        ("hostIPC", True, "hostIPC is true"),
        ("volumes", [{"name": "node", "hostPath": {"path": "/"}}], "volume node is a hostPath"),
        ("volumes", [{"name": "share", "nfs": {"server": "a", "path": "/"}}], "volume share is a nfs"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}], "sysctl kernel.msgmax"),
        ("securityContext.runAsUser", 0, "runAsUser is 0"),
        ("securityContext.windowsOptions", {"hostProcess": True}, "hostProcess"),
        ("securityContext.seLinuxOptions", {"type": "spc_t"}, "SELinux type spc_t"),
        ("securityContext.seLinuxOptions", {"user": "root"}, "SELinux user"),
        ("securityContext.appArmorProfile", {"type": "Unconfined"}, "AppArmor profile Unconfined"),
        ("securityContext.runAsNonRoot", False, "container scan: runAsNonRoot isn't true"),
        ("securityContext.seccompProfile", {"type": "Unconfined"}, "container scan: seccomp profile Unconfined"),
        ("securityContext.seccompProfile", {}, "container scan: seccomp profile None"),
        ("containers.0.securityContext.privileged", True, "container scan: privileged"),
        (
            "containers.0.securityContext.allowPrivilegeEscalation",
            True,
            "container scan: allowPrivilegeEscalation isn't false",
        ),
        ("containers.0.securityContext.runAsNonRoot", False, "container scan: runAsNonRoot isn't true"),
        ("containers.0.securityContext.runAsUser", 0, "container scan: runAsUser is 0"),
        ("containers.0.securityContext.procMount", "Unmasked", "container scan: procMount is Unmasked"),
        ("containers.0.securityContext.capabilities", {}, "container scan: doesn't drop ALL capabilities"),
        (
            "containers.0.securityContext.capabilities",
            {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SYS_ADMIN"]},
            "container scan: adds SYS_ADMIN",
        ),
        ("containers.0.ports", [{"hostPort": 80}], "container scan: hostPort 80"),
        ("containers.0.livenessProbe", {"httpGet": {"host": "a"}}, "container scan: httpGet names a host"),
        ("containers.0.lifecycle", {"preStop": {"tcpSocket": {"host": "a"}}}, "container scan: tcpSocket names a host"),
        ("initContainers", [{"name": "early"}], "container early: allowPrivilegeEscalation isn't false"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." not in value and " " not in value else "",
)
def test_each_breach_is_told(path: str, value: Any, told: str) -> None:
    assert told in list(violations({}, changed(path, value)))


def test_an_unconfined_apparmor_annotation_is_told() -> None:
    annotation = {"container.apparmor.security.beta.kubernetes.io/scan": "unconfined"}
    assert list(violations({"annotations": annotation}, POD)) == ["AppArmor profile unconfined"]


def test_all_kinds_of_pods_are_found() -> None:
    """One that the check doesn't see is one that it lets pass."""
    template = {"template": {"spec": POD}}
    kinds = {"Pod": POD, "Job": template, "Deployment": template, "CronJob": {"jobTemplate": {"spec": template}}}
    documents = [{"kind": kind, "metadata": {"name": "a"}, "spec": spec} for kind, spec in kinds.items()]
    documents.append({"kind": "Service", "metadata": {"name": "a"}, "spec": {}})

    assert [(owner, spec) for owner, _, spec in pods(documents)] == [(f"{kind} a", POD) for kind in kinds]
