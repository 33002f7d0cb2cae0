"""The *restricted* Pod Security Standard, as Kubernetes' documentation lists its rules, for pods on Linux.

https://kubernetes.io/docs/concepts/security/pod-security-standards/. It includes the *baseline* one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]

_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"),
    "image",
}
_SYSCTLS = {
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"),
    *("net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
    *("net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
}
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def pods(documents: Iterable[Fields]) -> Iterator[tuple[str, Fields, Fields]]:
    """Each pod that is asked for: whose it is ("Deployment eco2-scan"), its metadata, its spec."""
    for each in documents:
        owner = f"{each['kind']} {each['metadata']['name']}"
        match each:
            case {"kind": "Pod", "metadata": metadata, "spec": spec}:
                yield owner, metadata, spec
            case {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}}:
                yield owner, template.get("metadata", {}), template["spec"]
            case {"spec": {"template": {"spec": {"containers": _}} as template}}:
                yield owner, template.get("metadata", {}), template["spec"]


def violations(metadata: Fields, spec: Fields) -> Iterator[str]:
    """What of the standard a pod breaks, a line for each rule and place."""
    yield from _pod(spec)
    yield from _annotations(metadata)
    inherited = spec.get("securityContext", {})
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind, ()):
            for text in _container(container, inherited):
                yield f"container {container['name']}: {text}"


def _pod(spec: Fields) -> Iterator[str]:
    yield from (f"{name} is true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))
    for volume in spec.get("volumes", ()):
        yield from (f"volume {volume['name']} is a {kind}" for kind in volume.keys() - {"name"} - _VOLUMES)
    context = spec.get("securityContext", {})
    for sysctl in context.get("sysctls", ()):
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    yield from _contexts(context)
    if context.get("runAsUser") == 0:
        yield "runAsUser is 0"


def _annotations(metadata: Fields) -> Iterator[str]:
    """AppArmor as it was asked for before it had a field."""
    for name, value in metadata.get("annotations", {}).items():
        if name.startswith("container.apparmor.security.beta.kubernetes.io/") and not (
            value in {"", "runtime/default"} or value.startswith("localhost/")
        ):
            yield f"AppArmor profile {value}"


def _container(container: Fields, inherited: Fields) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("privileged"):
        yield "privileged"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation isn't false"
    if context.get("runAsNonRoot", inherited.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot isn't true"
    if context.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if context.get("procMount", "Default") != "Default":
        yield f"procMount is {context['procMount']}"
    capabilities = context.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()):
        yield "doesn't drop ALL capabilities"
    yield from (f"adds {name}" for name in capabilities.get("add", ()) if name != "NET_BIND_SERVICE")
    profile = context.get("seccompProfile", inherited.get("seccompProfile", {})).get("type")
    if profile not in {"RuntimeDefault", "Localhost"}:
        yield f"seccomp profile {profile}"
    yield from (f"hostPort {port['hostPort']}" for port in container.get("ports", ()) if port.get("hostPort"))
    for handler in _handlers(container):
        yield from (f"{kind} names a host" for kind in ("httpGet", "tcpSocket") if handler.get(kind, {}).get("host"))
    yield from _contexts(context)


def _handlers(container: Fields) -> Iterator[Fields]:
    yield from (container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe") if name in container)
    yield from container.get("lifecycle", {}).values()


def _contexts(context: Fields) -> Iterator[str]:
    """What pods and containers both may say."""
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"
    options = context.get("seLinuxOptions", {})
    if options.get("type", "") not in _SELINUX_TYPES:
        yield f"SELinux type {options['type']}"
    yield from (f"SELinux {name}" for name in ("user", "role") if options.get(name))
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in {"RuntimeDefault", "Localhost"}:
        yield f"AppArmor profile {context['appArmorProfile']['type']}"
